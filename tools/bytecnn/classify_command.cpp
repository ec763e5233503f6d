/// bytecnn classify: inputs in, one result a record out, in order.

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"

#include "arithmetic_option.hpp"
#include "block_pipeline.hpp"
#include "choice_option.hpp"
#include "commands.hpp"
#include "fail_on.hpp"
#include "input_options.hpp"
#include "number_text.hpp"
#include "progress_display.hpp"
#include "record_loader.hpp"
#include "record_source.hpp"
#include "record_writer.hpp"
#include "stop_request.hpp"

namespace bytecnn::cli {
namespace {

struct ClassifyOptions {
  std::string model;
  InputOptions inputs;
  Format format = Format::text;
  Strategy strategy = Strategy::truncate;
  Arithmetic arithmetic = Arithmetic::float32;
  unsigned threads = 0;
  std::vector<std::string> fail_on;
  bool time = false;
  bool no_fail = false;
  bool quiet = false;
  ColorChoice color = ColorChoice::automatic;
};

constexpr unsigned most_threads = 1024;
/// A shorter file is read before it is classified, so that many of them make a batch.
constexpr std::size_t least_long_file = std::size_t{1} << 20U;

constexpr const char* examples = R"(
Examples:
  bytecnn classify model.json notes.txt mail.eml        each file is one input
  bytecnn classify model.json -r documents              every file under a folder
  bytecnn classify model.json < lines.txt               each line of standard input is one
  bytecnn classify model.json --text "guten Morgen" --time
  tail -f access.log | bytecnn classify model.json --output tsv
  git log --format=%B%x00 | bytecnn classify model.json --input nul --output label
  bytecnn classify model.json - --input jsonl --field /request/body --output jsonl < requests.jsonl
  bytecnn classify model.json --fail-on toxic:0.9 < comments.txt > labels.txt || echo "look at them"

One result for each input, in order, however many threads work. A JSON Lines result is
  {"id":...,"label":...,"score":...,"scores":[...],"logits":[...]}   or   {"id":...,"error":"..."}
where the id is the file's name or the line's number. One input is classified by one thread, however long it is.

Exit status: 0 done, 1 some input failed or --fail-on found what it looks for, 2 usage, 3 unreadable or invalid model,
4 unsupported.)";

BlockSize block_size(bool for_terminal) {
  // A terminal shows each line as soon as it is there. Otherwise what is read at once and what comes of it should fit
  // a core's second-level cache.
  if (for_terminal) return {1, 1, std::size_t{1} << 14U};
  return {8192, 64, std::size_t{1} << 17U};
}

/// Whether there is one text or one whole file, so that more threads have nothing to do.
bool is_one_record(const ClassifyOptions& options, bool any_whole_file) {
  const InputOptions& inputs = options.inputs;
  if (inputs.paths.empty()) return inputs.texts.size() == 1;
  return inputs.paths.size() == 1 && inputs.texts.empty() && any_whole_file && !inputs.recursive;
}

/// Threads that classify.
unsigned thread_count(const ClassifyOptions& options, bool one_record) {
  // What is measured must have the processor for itself.
  if (options.time || one_record) return 1;
  return options.threads != 0 ? options.threads : std::clamp(std::thread::hardware_concurrency(), 1U, most_threads);
}

/// What scripts and people should know at the end. True where a rule found what it looks for.
bool tell_what_was_found(const PipelineSummary& summary, const std::vector<FailOn>& rules) {
  bool any = false;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Found& found = summary.found[i];
    if (found.records == 0) continue;
    any = true;
    std::cerr << "bytecnn: --fail-on " << printable(rules[i].text, SIZE_MAX) << ": " << with_separators(found.records)
              << (found.records == 1 ? " record, " : " records, the first is ") << printable(found.first, SIZE_MAX)
              << '\n';
  }
  return any;
}

ExitStatus classify(const ClassifyOptions& options) {
  const Classifier classifier = Classifier::load(options.model, ClassifierOptions{{}, options.arithmetic});
  std::vector<FailOn> rules;
  for (const std::string& text : options.fail_on) rules.push_back(parse_fail_on(text, classifier));

  const InputLimit limit = options.strategy == Strategy::truncate
                               ? InputLimit{classifier.model().architecture.max_len, false}
                               : InputLimit{max_record_bytes, true};
  std::atomic<std::uint64_t> bytes_read{0};
  const bool to_terminal = ::isatty(STDOUT_FILENO) == 1;
  const InputLimit framed = options.inputs.embedded() ? InputLimit{max_record_bytes, true} : limit;
  const auto source = make_source(options.inputs, {framed, block_size(to_terminal), bytes_read});
  // Windows need no more of a file than the one that they are at; but what is timed is classified again and again.
  const bool in_pieces = options.strategy != Strategy::truncate && !options.time;
  const std::size_t long_file =
      in_pieces ? std::max<std::size_t>(least_long_file, classifier.model().architecture.max_len + 1) : SIZE_MAX;
  const RecordLoader loader(options.inputs.field, limit, long_file);

  bool any_whole_file = false;
  for (const std::string& path : options.inputs.paths) {
    any_whole_file = any_whole_file || framing_of(path, options.inputs.framing) == Framing::whole;
  }
  const RecordWriter writer(classifier, options.format, options.color, !any_whole_file);
  const unsigned threads = thread_count(options, is_one_record(options, any_whole_file));

  tell_where_terminal_is_read(options.inputs);
  stop_on_signals();
  BlockPipeline pipeline({*source, loader, classifier, writer, options.strategy, rules, options.time}, threads);
  PipelineSummary summary;
  {
    const auto total = total_bytes(options.inputs);
    const ProgressDisplay display(!options.quiet && !to_terminal, [&] {
      ProgressDisplay::State state{pipeline.records_done(), "inputs", {}};
      if (total && *total > 0) state.fraction = static_cast<double>(bytes_read) / static_cast<double>(*total);
      return state;
    });
    summary = pipeline.run();
  }
  if (stop_signal() != 0) end_by_signal(stop_signal());

  tell_links_not_followed(*source);
  const bool found = tell_what_was_found(summary, rules);
  const bool failed = summary.errors > 0 && !options.no_fail;
  return found || failed ? ExitStatus::failed : ExitStatus::done;
}

}  // namespace

void add_classify_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ClassifyOptions>();
  CLI::App* command = app.add_subcommand("classify", "classify files, lines or texts");
  command->footer(examples);
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  add_input_options(*command, options->inputs, "classify");

  add_choice_option<Format>(*command, "--output", options->format,
                            {{"text", Format::text},
                             {"tsv", Format::tsv},
                             {"jsonl", Format::jsonl},
                             {"score", Format::score},
                             {"label", Format::label}},
                            "what is written for each input; tsv is id, label, score (text)");
  add_choice_option<Strategy>(*command, "--strategy", options->strategy,
                              {{"truncate", Strategy::truncate},
                               {"average", Strategy::average},
                               {"max", Strategy::max},
                               {"attention", Strategy::attention}},
                              "inputs longer than max_len: cut, or windows whose logits are combined (truncate)");
  add_arithmetic_option(*command, options->arithmetic);
  command->add_option("--threads", options->threads, "threads to classify on (as many as there are processors)")
      ->check(CLI::Range(0U, most_threads).description(""))
      ->type_name("N");
  command
      ->add_option(
          "--fail-on", options->fail_on,
          "exit status 1 where an input has this label, or where the label's score reaches SCORE; may be given "
          "again")
      ->allow_extra_args(false)
      ->type_name("LABEL[:SCORE]");
  command->add_flag("--no-fail", options->no_fail,
                    "inputs that cannot be read or classified do not change the exit status");
  command->add_flag("--time", options->time, "tell the microseconds that each input takes, measured over many calls");
  command->add_flag("-q,--quiet", options->quiet, "show no progress (it is shown on terminals alone)");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return classify(*options); }; });
}

}  // namespace bytecnn::cli
