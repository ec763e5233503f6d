/// bytecnn tune: a model file that knows which windows of bytes are frequent, so that batches are fast from the start.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/frequent_windows.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "commands.hpp"
#include "input_options.hpp"
#include "number_text.hpp"
#include "output_file.hpp"
#include "progress_display.hpp"
#include "record_loader.hpp"
#include "stop_request.hpp"

namespace bytecnn::cli {
namespace {

struct TuneOptions {
  std::string model;
  InputOptions inputs;
  std::string output;
  std::size_t windows = 4096;
  bool remove = false;
  bool quiet = false;
};

constexpr std::size_t block_records = 8192;
constexpr std::size_t block_files = 64;
constexpr std::size_t block_bytes = std::size_t{1} << 17U;

struct Counted {
  std::uint64_t texts = 0, bytes = 0, errors = 0;
};

/// Counts every input's windows, of a long one piece by piece; what cannot be read is told and passed over.
Counted count_inputs(const TuneOptions& options, std::size_t max_len, FrequentWindowCounter& counter) {
  std::atomic<std::uint64_t> bytes_read{0};
  std::atomic<std::uint64_t> texts{0};
  const InputLimit limit{max_record_bytes, true};
  const auto source = make_source(options.inputs, {limit, {block_records, block_files, block_bytes}, bytes_read});
  const RecordLoader loader(options.inputs.field, limit, SIZE_MAX);
  tell_where_terminal_is_read(options.inputs);
  stop_on_signals();
  Counted counted;
  {
    const auto total = total_bytes(options.inputs);
    const ProgressDisplay display(!options.quiet, [&] {
      ProgressDisplay::State state{texts, "texts", {}};
      if (total && *total > 0) state.fraction = static_cast<double>(bytes_read) / static_cast<double>(*total);
      return state;
    });
    for (Block block; !stop_requested() && source->next(block);) {
      for (std::size_t begin = 0; begin < block.records.size() && !stop_requested();) {
        const std::size_t end = loader.load(block, begin, block_records);
        for (; begin < end; ++begin) {
          const Record& record = block.records[begin];
          if (const std::string_view error = block.error_of(record); !error.empty()) {
            ++counted.errors;
            std::cerr << "bytecnn: " << printable(block.name_of(record).text, SIZE_MAX) << ": "
                      << printable(std::string(error), SIZE_MAX) << '\n';
            continue;
          }
          for (auto rest = record.bytes; !rest.empty(); rest = rest.subspan(std::min(rest.size(), max_len))) {
            counter.count(rest);
          }
          counted.bytes += record.bytes.size();
          ++texts;
        }
      }
    }
  }
  if (stop_signal() != 0) end_by_signal(stop_signal());
  tell_links_not_followed(*source);
  counted.texts = texts;
  return counted;
}

std::string texts_counted(const Counted& counted) {
  return with_separators(counted.texts) + (counted.texts == 1 ? " text" : " texts");
}

/// For the model file: what the windows were counted in.
std::string sample_text(const InputOptions& inputs, const Counted& counted) {
  std::string names;
  for (const std::string& path : inputs.paths) {
    if (path != "-") names += (names.empty() ? "" : ", ") + path.substr(path.find_last_of('/') + 1);
  }
  constexpr std::size_t longest = 200;
  if (names.size() > longest) names = std::to_string(inputs.paths.size()) + " files";
  return (names.empty() ? "" : names + ": ") + texts_counted(counted) + ", " + with_separators(counted.bytes) +
         (counted.bytes == 1 ? " byte" : " bytes");
}

ExitStatus tune(const TuneOptions& options) {
  Model model = load_model(options.model);
  if (options.remove) {
    model.frequent_windows = {};
    save_model(model, options.output);
    return ExitStatus::done;
  }
  if (!Classifier(model, supported_isas().front()).has_bulk_plan()) {
    throw Error(ErrorCode::unsupported,
                "batches of this model look up no windows, so there is nothing to tune: that takes a first convolution "
                "of at most three taps and a second one of three or five, without stride, dilation or groups",
                options.model);
  }
  FrequentWindowCounter counter(model.architecture);
  const Counted counted = count_inputs(options, model.architecture.max_len, counter);
  if (counter.counted() == 0) throw Error(ErrorCode::invalid, "the sample holds no text");
  model.frequent_windows = counter.most_frequent(options.windows);
  model.frequent_windows.sample = sample_text(options.inputs, counted);
  save_model(model, options.output);
  if (!options.quiet) {
    const std::size_t windows = model.frequent_windows.tokens.size() / model.architecture.conv_layers[0].kernel_size;
    const double covered = static_cast<double>(counter.covered(windows)) / static_cast<double>(counter.counted());
    std::cerr << "bytecnn: " << with_separators(windows) << " windows cover " << fixed(100 * covered, 1) << " % of "
              << with_separators(counter.counted()) << " in " << texts_counted(counted) << '\n';
  }
  return counted.errors > 0 ? ExitStatus::failed : ExitStatus::done;
}

}  // namespace

void add_tune_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<TuneOptions>();
  CLI::App* command = app.add_subcommand("tune", "make batches fast from the first one on, by texts like yours");
  command->footer(R"(
Examples:
  bytecnn tune model.json --output tuned.json < lines.txt
  bytecnn tune model.json -r documents --output tuned.json       every file under a folder
  bytecnn tune model.json log.jsonl --input jsonl --field /request/body --output model.json
  bytecnn tune tuned.json --remove --output model.json

Batches of a model of two and more layers look up windows of bytes that are frequent. Which ones, they learn from the
first 16 kB that come at once; small batches never do. This command counts the windows of a sample (some 100 kB are
enough) and writes them into a model file: small batches then take half the time. No result changes by a bit.

Exit status: 0 done, 1 some input could not be read, 2 usage, 3 unreadable or invalid model, 4 not a model that looks
windows up.)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  add_input_options(*command, options->inputs, "count");
  command->add_option("--output", options->output, "the model file to write; it may be MODEL itself")
      ->required()
      ->type_name("FILE");
  command->add_option("--windows", options->windows, "how many windows to state (4096)")
      ->check(CLI::Range(std::size_t{1}, ModelLimits::max_frequent_windows).description(""))
      ->type_name("N");
  command->add_flag("--remove", options->remove, "write the model without frequent windows")->excludes("INPUT");
  command->add_flag("-q,--quiet", options->quiet, "show no progress and no summary");
  command->callback([options, &action] { action = [options] { return tune(*options); }; });
}

}  // namespace bytecnn::cli
