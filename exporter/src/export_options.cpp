#include "export_options.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <set>
#include <string_view>

#include <CLI/CLI.hpp>

#include "bytecnn/error.hpp"

#include "command_line/description.hpp"
#include "file_bytes.hpp"
#include "recognition_options.hpp"
#include "source_text.hpp"

namespace bytecnn::exporter {
namespace {

constexpr const char* examples = R"(
Examples:
  bytecnn export model.pth
      writes model.json and model_weights.py, verified against the original
  bytecnn export model.pth --pooling max --max-len 256 --labels safe,toxic
      says what a state dict cannot tell: how the model pools and to what length it pads
  bytecnn export model.pth --architecture architecture.json --format all --output-dir out
      the same in a file, for every layer; JSON, Python and a C++ header
  bytecnn export checkpoint.pt --key ema
      chooses among several state dicts in one file
  bytecnn export model.pth --reference recorded.json --search
      finds the structure that gives the logits recorded from Python, and exports it if there is just one
  bytecnn export model.pth --inspect
      only says what is in the file and what would be assumed

Files are named after the checkpoint: STEM.json, STEM_weights.py, STEM.hpp. Their paths go to standard output, all else
to standard error. Exit status: 0 done, 1 the verification failed, 2 usage, 3 unreadable or invalid checkpoint,
4 unsupported.)";

constexpr const char* inspect_examples = R"(
Examples:
  bytecnn inspect model.pth
      its form, its tensors, the layers that they make, and what would be assumed where the file does not say
  bytecnn inspect checkpoint.pt --key ema
      one of several state dicts in one file
  bytecnn inspect model.pth --json | jq .export
  bytecnn inspect model.pth --reference recorded.json --search
      which structures give the logits recorded from Python

Nothing is written. Exit status: 0 the file was read, also where it says why an export would be refused, 2 usage,
3 unreadable checkpoint, 4 unsupported.)";

/// `bytecnn inspect` starts the exporter with --inspect in front; its help is about that alone.
void become_inspect(CLI::App& app) {
  app.name("bytecnn inspect");
  app.description("Shows what a PyTorch checkpoint holds and what an export would make of it.");
  app.footer(inspect_examples);
  for (const char* name : {"--format", "--output-dir", "--name", "--version", "--accuracy", "--labels", "--threshold",
                           "--no-verify", "--inspect", "--quiet"}) {
    app.get_option(name)->group("");  // not shown
  }
  app.get_option("--json")->description("as JSON on standard output");
  app.get_option("--reference")
      ->description("logits recorded from Python (exporter/record_reference.py), for --search");
  app.get_option("--search")->description("find out which structures give the recorded logits");
}

[[noreturn]] void wrong(const std::string& option, const std::string& message, const std::string& expected,
                        const std::string& found) {
  throw Error(ErrorCode::usage, message, option, expected, found);
}

double number_between(const std::string& option, const std::string& text, double least, double most,
                      const std::string& expected) {
  double number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !(number >= least && number <= most)) {
    wrong(option, "not a usable number", expected, "'" + text + "'");
  }
  return number;
}

void check_text(const std::string& option, const std::string& text) {
  if (!is_utf8(text)) wrong(option, "the text is not UTF-8", "UTF-8", "other bytes");
}

/// "a,b,c", or one label a line of the file behind an @.
std::vector<std::string> parse_labels(const std::string& text) {
  const bool from_file = text.starts_with('@');
  const std::string content = from_file ? read_small_file(text.substr(1), 1U << 20U) : text;
  const char separator = from_file ? '\n' : ',';
  std::vector<std::string> labels;
  std::size_t begin = 0;
  while (begin <= content.size()) {
    const std::size_t end = std::min(content.find(separator, begin), content.size());
    std::string label = content.substr(begin, end - begin);
    if (from_file && label.ends_with('\r')) label.pop_back();
    begin = end + 1;
    if (from_file && label.empty() && begin > content.size()) break;  // the last line's end
    if (label.empty())
      wrong("--labels", "a label is empty",
            "names with a " + std::string(from_file ? "line" : "comma") + " between them", "'" + text + "'");
    check_text("--labels", label);
    labels.push_back(std::move(label));
  }
  const std::set<std::string> different(labels.begin(), labels.end());
  if (different.size() != labels.size()) wrong("--labels", "a label occurs twice", "different names", "'" + text + "'");
  return labels;
}

/// The arguments as text, before they are understood.
struct RawOptions {
  std::string format, accuracy, labels, threshold, search_seconds;
  RecognitionOptions recognition;
  bool no_verify = false;
};

void understand_search(const RawOptions& raw, ExportOptions& options) {
  if (options.search && options.reference_file.empty()) {
    wrong("--search", "a search needs recorded numbers", "--reference FILE (exporter/record_reference.py writes one)",
          "none");
  }
  if (!options.search && !options.reference_file.empty() && (raw.no_verify || options.inspect)) {
    wrong("--reference", "nothing would look at the recorded numbers", "--search, or a verification",
          raw.no_verify ? "--no-verify" : "--inspect");
  }
  if (raw.search_seconds.empty()) return;
  if (!options.search) wrong("--search-seconds", "this goes with --search alone", "--search", "none");
  options.search_seconds = number_between("--search-seconds", raw.search_seconds, 0.1, 86400, "seconds, 0.1 to 86400");
}

void understand(const RawOptions& raw, ExportOptions& options) {
  if (!raw.format.empty()) {
    const bool all = raw.format == "all";
    const bool both = raw.format == "both";
    options.json = all || both || raw.format == "json";
    options.python = all || both || raw.format == "python";
    options.cpp = all || raw.format == "cpp";
    if (!options.json && !options.python && !options.cpp) {
      wrong("--format", "unknown format", "json, python, cpp, both or all", "'" + raw.format + "'");
    }
  }
  if (!raw.accuracy.empty()) {
    options.accuracy = number_between("--accuracy", raw.accuracy, 0, 1, "a share from 0 to 1, e.g. 0.7897");
  }
  if (!raw.threshold.empty()) {
    options.threshold = number_between("--threshold", raw.threshold, 0, 1, "a score from 0 to 1, e.g. 0.5");
  }
  if (!raw.labels.empty()) options.labels = parse_labels(raw.labels);
  options.architecture_file = raw.recognition.architecture_file;
  options.key = raw.recognition.key;
  options.flags = recognition_flags(raw.recognition);
  options.flags.labels = options.labels.size();
  options.flags.search_follows = options.search;
  understand_search(raw, options);
  options.verify = !raw.no_verify;
  check_text("--name", options.name);
  check_text("--version", options.version);
}

}  // namespace

std::string stem_of(const std::string& checkpoint) {
  return std::filesystem::path(checkpoint).stem().string();
}

bool asks_to_inspect(int argc, char** argv) {
  return argc > 1 && std::string_view(argv[1]) == "--inspect";
}

std::optional<ExportOptions> parse_export_options(int argc, char** argv) {
  ExportOptions options;
  RawOptions raw;
  CLI::App app("Turns a PyTorch checkpoint into a model file, and proves that it computes the same.", "bytecnn export");
  app.footer(examples);
  app.get_formatter()->column_width(36);
  app.add_option("CHECKPOINT", options.checkpoint,
                 ".pth, .pt, .ckpt or .safetensors: a state dict, a training checkpoint, a whole model, or TorchScript")
      ->required();
  app.add_option("--format", raw.format, "what to write; both is JSON and Python (both)")
      ->type_name("json|python|cpp|both|all");
  app.add_option("--output-dir", options.output_dir, "where the files go (default: here)")->type_name("DIR");
  app.add_option("--name", options.name, "the model's name (default: the checkpoint's)")->type_name("TEXT");
  app.add_option("--version", options.version, "the model's version")->type_name("TEXT");
  app.add_option("--accuracy", raw.accuracy, "the model's accuracy, 0 to 1, as a note")->type_name("A");
  app.add_option("--labels", raw.labels, "names of the classes: a,b,... or @FILE with one a line")->type_name("LABELS");
  app.add_option("--threshold", raw.threshold, "score at which a label holds")->type_name("T");
  add_recognition_options(app, raw.recognition);
  app.add_option("--reference", options.reference_file,
                 "logits recorded from Python (exporter/record_reference.py), to be held against the original")
      ->type_name("FILE");
  app.add_flag("--search", options.search, "find out which structure gives the recorded logits, and export that one");
  app.add_option("--search-seconds", raw.search_seconds, "limit on the search (default: 60)")->type_name("S");
  app.add_flag("--no-verify", raw.no_verify, "do not compare the export with the original in libtorch");
  app.add_flag("--inspect", options.inspect, "say what is in the file and what would be assumed; write nothing");
  app.add_flag("--json", options.inspect_json, "with --inspect: as JSON on standard output");
  app.add_flag("-q,--quiet", options.quiet, "print errors and paths alone");
  if (cli::describe_where_asked(app, argc, argv, std::cout)) return std::nullopt;
  if (asks_to_inspect(argc, argv)) become_inspect(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Error(ErrorCode::usage, cli::usage_message(app, error, argc, argv));
  }
  if (options.inspect_json && !options.inspect)
    wrong("--json", "this goes with --inspect alone", "--format json", "--json");
  understand(raw, options);
  return options;
}

}  // namespace bytecnn::exporter
