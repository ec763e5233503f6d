/// bytecnn bench: how fast this model is on this machine.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "arithmetic_option.hpp"
#include "bench_report.hpp"
#include "commands.hpp"
#include "latency_measurement.hpp"
#include "machine.hpp"
#include "number_text.hpp"
#include "output_file.hpp"
#include "progress_display.hpp"
#include "sample_texts.hpp"
#include "standard_output.hpp"

namespace bytecnn::cli {
namespace {

struct BenchOptions {
  std::string model;
  std::string corpus;
  std::vector<std::size_t> lengths{16, 40, 128, 512};
  std::vector<std::string> isas;
  Arithmetic arithmetic = Arithmetic::float32;
  double seconds = 0.25;
  unsigned threads = 0;
  bool json = false;
  std::string plot;
  bool quiet = false;
  ColorChoice color = ColorChoice::automatic;
};

constexpr std::size_t default_columns = 100;

/// All that this machine runs but the reference, unless that is what was asked for.
std::vector<Isa> chosen_isas(const BenchOptions& options) {
  std::vector<Isa> isas;
  for (const std::string& name : options.isas) isas.push_back(parse_isa(name));
  if (!isas.empty()) return isas;
  if (std::getenv("BYTECNN_FORCE_ISA") != nullptr) return {active_isa()};
  isas = supported_isas();
  if (isas.size() > 1) std::erase(isas, Isa::reference);
  return isas;
}

ExitStatus bench(const BenchOptions& options) {
  using Clock = std::chrono::steady_clock;
  const auto isas = chosen_isas(options);
  const auto start = Clock::now();
  const Classifier classifier(load_model(options.model), ClassifierOptions{isas.front(), options.arithmetic});
  const double load_milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const Model& model = classifier.model();
  const SampleTexts samples = options.corpus.empty() ? SampleTexts(options.lengths, model.architecture.max_len)
                                                     : SampleTexts(options.corpus, model.architecture.max_len);
  const Machine machine = this_machine();
  if (machine.load > machine.processors / 2.0) {
    std::cerr << "bytecnn: the machine is busy (load " << fixed(machine.load, 1) << " on "
              << std::to_string(machine.processors) << " processors): times may be too long\n";
  }

  BenchReport report{model.info.name.empty() ? options.model : model.info.name,
                     options.model,
                     model,
                     options.arithmetic,
                     samples,
                     machine,
                     load_milliseconds,
                     {}};
  {
    std::atomic<double> share{0};
    const ProgressDisplay display(!options.quiet, [&share] {
      return ProgressDisplay::State{{}, "measuring", share.load()};
    });
    report.results =
        measure(model, isas, options.arithmetic, samples, options.seconds,
                options.threads == 0 ? machine.processors : options.threads, [&share](double done) { share = done; });
  }

  if (!options.plot.empty()) write_output_file(options.plot, bench_svg(report));
  StandardOutput output;
  if (options.json) {
    output << bench_json(report);
  } else {
    output << bench_text(report, Painter(options.color), terminal_columns(default_columns));
  }
  output.flush();
  return ExitStatus::done;
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "measure how fast a model is on this machine");
  command->footer(R"(
Examples:
  bytecnn bench model.json
  bytecnn bench model.json --corpus lines.txt           on texts of your own
  bytecnn bench model.json --plot latency.svg --json > latency.json
  bytecnn bench model.json --lengths 8,64,256 --isa avx2 --threads 4
  bytecnn bench model.json --arithmetic int16           fixed point, of models with one conv layer

Latency is that of single calls on one thread: the fastest, the median and the 99th percentile, for every length and
instruction set, measured in turns. Throughput is that of batches that lie in memory, on one thread and on all.)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  command->add_option("--corpus", options->corpus, "texts to classify, one a line (else English prose)")
      ->type_name("FILE");
  command
      ->add_option("--lengths", options->lengths, "bytes a text, where there is no corpus (16,40,128,512 and max_len)")
      ->delimiter(',')
      ->type_name("N,...")
      ->allow_extra_args(false)
      ->excludes("--corpus");
  command->add_option("--isa", options->isas, "instruction sets to measure (all that this machine runs)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("NAME,...");
  add_arithmetic_option(*command, options->arithmetic);
  command->add_option("--seconds", options->seconds, "for each length and instruction set (0.25)")
      ->check(CLI::Range(0.001, 3600.0).description(""))
      ->type_name("S");
  command->add_option("--threads", options->threads, "threads of the throughput (as many as there are processors)")
      ->check(CLI::Range(0U, 1024U).description(""))
      ->type_name("N");
  command->add_flag("--json", options->json, "the results as a JSON object");
  command->add_option("--plot", options->plot, "also draw the latencies into this SVG file")->type_name("FILE.svg");
  command->add_flag("-q,--quiet", options->quiet, "show no progress (it is shown on terminals alone)");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return bench(*options); }; });
}

}  // namespace bytecnn::cli
