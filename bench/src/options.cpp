#include "options.hpp"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "bench_models.hpp"
#include "sample_texts.hpp"

namespace bytecnn::bench {
namespace {

template <class Names>
std::vector<std::string> strings(const Names& names) {
  return {names.begin(), names.end()};
}

void fill_in(Options& options) {
  constexpr std::size_t quick_rounds = 25;
  if (options.quick) {
    options.table = true;
    if (options.rounds == Options{}.rounds) options.rounds = quick_rounds;
  }
  if (options.full || !options.merge.empty()) options.table = true;
  if (options.models.empty() && options.model_files.empty()) {
    options.models = options.full ? strings(made_model_names()) : std::vector<std::string>{"1L", "2L"};
  }
  if (options.kinds.empty()) options.kinds = options.full ? strings(text_kinds()) : std::vector<std::string>{"english"};
  if (options.lengths.empty()) {
    options.lengths = {40, 128, 512};
    if (options.full) options.lengths = {1, 8, 40, 128, 512};
  }
}

}  // namespace

ParsedOptions parse_options(int argc, char** argv) {
  CLI::App app(
      "Times this engine on every instruction set beside libtorch and direct convolution, in one process.\n"
      "Without --table, --quick, --full or --merge it is a Google Benchmark program and takes its --benchmark_* "
      "flags.");
  app.allow_extras();
  ParsedOptions parsed;
  Options& options = parsed.options;
  app.add_flag("--table", options.table, "measure in interleaved rounds and print Markdown tables");
  app.add_flag("--quick", options.quick, "--table with more rounds, by default of 1L and 2L: some twenty seconds");
  app.add_flag("--full", options.full, "--table of all models, kinds and lengths that no other option chooses");
  app.add_option("--models", options.models, "1L, 2L, 3L, 6L (default: 1L,2L)")->delimiter(',');
  app.add_option("--model-file", options.model_files, "a model file as well; may be repeated");
  app.add_option("--kinds", options.kinds, "english, languages, code, binary, random (default: english)")
      ->delimiter(',');
  app.add_option("--lengths", options.lengths, "bytes a text (default: 40,128,512); --full adds a model's max_len")
      ->delimiter(',');
  app.add_option("--contenders", options.contenders,
                 "only those whose names contain one of these, e.g. avx512,direct; ratios are to the first")
      ->delimiter(',');
  app.add_option("--rounds", options.rounds, "rounds of --table")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--json", options.json, "with --table: write the results as JSON as well");
  app.add_option("--markdown", options.markdown, "with --table: write the tables to a file, not to standard output");
  app.add_option("--merge", options.merge, "measure nothing: put these results of --json into one set of tables");
  app.footer(
      "Examples:\n"
      "  bytecnn_bench --quick\n"
      "  bytecnn_bench --quick --models 2L --lengths 128 --contenders bytecnn,registers\n"
      "  bytecnn_bench --table --model-file models/language/language.json\n"
      "  bytecnn_bench --full --models 1L --json 1L.json && bytecnn_bench --full --models 2L --json 2L.json\n"
      "  bytecnn_bench --merge 1L.json 2L.json --markdown tables.md\n"
      "  bytecnn_bench --benchmark_filter=1L/english/128");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    parsed.exit_status = app.exit(error) == 0 ? 0 : 2;
    return parsed;
  }
  fill_in(options);
  options.for_benchmark = app.remaining();
  if (options.table && !options.for_benchmark.empty()) {
    std::fprintf(stderr, "bytecnn_bench: error: unknown argument \"%s\"\n", options.for_benchmark.front().c_str());
    parsed.exit_status = 2;
  }
  return parsed;
}

}  // namespace bytecnn::bench
