#include "verify/verify_options.hpp"

#include <charconv>
#include <iostream>

#include <CLI/CLI.hpp>

#include "bytecnn/error.hpp"

#include "command_line/description.hpp"

namespace bytecnn::exporter {
namespace {

constexpr const char* examples = R"(
Stages, each held against the original, run unfolded and in double by libtorch:
  weights     every number of the export, folded anew from the checkpoint
  fold        the exported weights run in double: at most 1e-6 S on logits
  engine      the runtime on every instruction set of this machine: 1e-5 S on logits, 1e-5 on scores
  reference   numbers recorded from Python (--reference): 1e-5 S, 1e-4 S where they are float32
S = max(1, largest |logit| of the original).

Inputs: edge cases, every single byte, runs, bytes that drive filters to their extremes, random bytes and texts, mixtures
of your corpus, and the corpus itself. The same seed gives the same inputs.
Besides, a bound on the difference is derived that holds for every input of any kind (exporter/numerics.md).

Examples:
  bytecnn verify model.pth model.json
  bytecnn verify model.pth model.json --pooling max --max-len 256
      with the same statements as the export was made with
  bytecnn verify model.pth model.json --corpus lines.txt --corpus samples/ --samples 10000
      the lines of a file and the files of a folder, and more random inputs
  bytecnn verify model.pth model.json --reference recorded.json
      numbers from Python (exporter/record_reference.py), which also prove the assumed structure
  bytecnn verify model.pth model.json --report certificate.json --report certificate.html
  bytecnn verify model.pth model.json --arithmetic int16
      the engines in fixed point, as 'bytecnn classify --arithmetic int16' runs them
  bytecnn check model.json --certificate certificate.json
      later and elsewhere, without the checkpoint

The report goes to standard output. Exit status: 0 every stage holds, 1 one does not, 2 usage, 3 unreadable or invalid
checkpoint or model, 4 unsupported.)";

template <class Number>
Number number_of(const std::string& option, const std::string& text, Number least, Number most,
                 const std::string& expected) {
  Number number{};
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !(number >= least && number <= most)) {
    throw Error(ErrorCode::usage, "not a usable number", option, expected, "'" + text + "'");
  }
  return number;
}

}  // namespace

std::optional<VerifyProgramOptions> parse_verify_options(int argc, char** argv) {
  VerifyProgramOptions options;
  std::string tolerance, samples, seed, arithmetic_name;
  CLI::App app("Proves a model file equal to the checkpoint that it was exported from.", "bytecnn verify");
  app.footer(examples);
  app.get_formatter()->column_width(36);
  app.add_option("CHECKPOINT", options.checkpoint, "the original: .pth, .pt, .ckpt or .safetensors")->required();
  app.add_option("MODEL", options.model, "the model file made from it")->required();
  add_recognition_options(app, options.recognition);
  app.add_option("--corpus", options.corpora, "inputs of your own: a file of lines, or a folder of files; repeatable")
      ->type_name("FILE|FOLDER")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--reference", options.reference_file, "inputs and logits recorded from Python")->type_name("FILE");
  app.add_option("--tolerance", tolerance, "for the engine, in S and of scores (default: 1e-5); fold gets a tenth")
      ->type_name("T");
  app.add_option("--samples", samples, "random inputs beside the edge cases (default: up to 300)")->type_name("N");
  app.add_option("--seed", seed, "of the random inputs (default: 1)")->type_name("N");
  app.add_flag("--exhaustive", options.exhaustive,
               "runs all 16.7 million windows of a first layer with a kernel of at most 3, for a sharper bound; layers "
               "behind it, and longer kernels, keep the bound by analysis");
  auto* arithmetic =
      app.add_option("--arithmetic", arithmetic_name,
                     "of the engines: float32 (default), int32 or int16, which models with one conv layer have")
          ->type_name("A");
  app.add_option("--report", options.reports,
                 "writes the certificate: FILE.json for 'bytecnn check', FILE.html to read; it is of float32")
      ->type_name("FILE")
      ->excludes(arithmetic)
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("-q,--quiet", options.quiet, "no progress, and no report where all holds");
  if (cli::describe_where_asked(app, argc, argv, std::cout)) return std::nullopt;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage, cli::usage_message(app, error, argc, argv));
  }
  for (const std::string& report : options.reports) {
    if (!report.ends_with(".json") && !report.ends_with(".html")) {
      throw Error(ErrorCode::usage, "a report is JSON or HTML", "--report", "a name ending in .json or .html",
                  "'" + report + "'");
    }
  }
  if (!arithmetic_name.empty()) {
    try {
      options.arithmetic = parse_arithmetic(arithmetic_name);
    } catch (const Error& error) {
      throw error.at("--arithmetic");
    }
  }
  if (!tolerance.empty()) {
    options.tolerance = number_of("--tolerance", tolerance, 1e-12, 1.0, "a number like 1e-5");
  }
  if (!samples.empty()) {
    options.samples = number_of<std::size_t>("--samples", samples, 0, 100'000'000, "0 to 100000000");
  }
  if (!seed.empty()) options.seed = number_of<std::uint64_t>("--seed", seed, 0, UINT64_MAX, "a whole number");
  return options;
}

}  // namespace bytecnn::exporter
