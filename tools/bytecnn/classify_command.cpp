/// bytecnn classify: inputs in, one result a record out, in order.

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bytecnn/classifier.hpp"

#include "block_classifier.hpp"
#include "choice_option.hpp"
#include "commands.hpp"
#include "record_source.hpp"
#include "record_writer.hpp"
#include "standard_output.hpp"

namespace bytecnn::cli {
namespace {

struct ClassifyOptions {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> texts;
  std::optional<Framing> framing;
  std::string field = "text";
  Format format = Format::text;
  Strategy strategy = Strategy::truncate;
  unsigned threads = 0;
  bool time = false;
  ColorChoice color = ColorChoice::automatic;
};

constexpr const char* examples = R"(
Examples:
  bytecnn classify model.json notes.txt mail.eml        each file is one input
  bytecnn classify model.json < lines.txt               each line of standard input is one
  bytecnn classify model.json --text "guten Morgen" --time
  tail -f access.log | bytecnn classify model.json --output tsv
  git log --format=%B%x00 | bytecnn classify model.json --input nul --output label
  bytecnn classify model.json - --input jsonl --field /request/body --output jsonl < requests.jsonl

One result for each input, in order. A JSON Lines result is
  {"id":...,"label":...,"score":...,"scores":[...],"logits":[...]}   or   {"id":...,"error":"..."}
where the id is the file's name or the line's number. Exit status: 0 done, 1 some input failed, 2 usage,
3 unreadable or invalid model, 4 unsupported.)";

/// Standard input is lines unless said otherwise, a named file is one input.
Framing framing_of(const std::string& path, const ClassifyOptions& options) {
  return options.framing.value_or(path == "-" ? Framing::lines : Framing::whole);
}

std::unique_ptr<RecordSource> make_source(const ClassifyOptions& options, InputLimit limit) {
  std::vector<std::unique_ptr<RecordSource>> sources;
  if (!options.texts.empty()) sources.push_back(texts_source(options.texts));

  std::vector<std::string> paths = options.inputs;
  if (paths.empty() && options.texts.empty()) paths.emplace_back("-");
  std::vector<std::string> whole;
  const auto add_whole = [&] {
    if (!whole.empty()) sources.push_back(whole_files_source(std::exchange(whole, {}), limit));
  };
  for (const std::string& path : paths) {
    const Framing framing = framing_of(path, options);
    if (framing == Framing::whole) {
      whole.push_back(path);
      continue;
    }
    add_whole();
    const std::string id_prefix = path == "-" && paths.size() == 1 ? "" : path;
    if (framing == Framing::jsonl) {
      sources.push_back(json_lines_source(path, options.field, id_prefix, limit));
    } else {
      sources.push_back(delimited_source(path, framing == Framing::nul ? '\0' : '\n', id_prefix, limit));
    }
  }
  add_whole();
  return chain(std::move(sources));
}

ExitStatus classify(const ClassifyOptions& options) {
  const Classifier classifier = Classifier::load(options.model);
  const InputLimit limit = options.strategy == Strategy::truncate
                               ? InputLimit{classifier.model().architecture.max_len, false}
                               : InputLimit{max_record_bytes, true};
  const auto source = make_source(options, limit);

  bool any_whole_file = false;
  for (const std::string& path : options.inputs) {
    any_whole_file = any_whole_file || framing_of(path, options) == Framing::whole;
  }
  StandardOutput output;
  RecordWriter writer(classifier, options.format, options.color, !any_whole_file, output);
  BlockClassifier blocks(classifier, options.strategy, options.threads);

  if (options.inputs.empty() && options.texts.empty() && ::isatty(STDIN_FILENO) == 1) {
    std::cerr << "bytecnn: reading lines from the terminal; Ctrl-D ends\n";
  }
  bool failed = false;
  for (Block block; source->next(block);) {
    blocks.classify(block);
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (!block[i].error.empty()) {
        failed = true;
        writer.write_error(block[i], block[i].error);
        continue;
      }
      Classified classified{blocks.result(i), blocks.logits(i), blocks.scores(i), {}};
      if (options.time) classified.microseconds = blocks.measure_microseconds(block[i].bytes);
      writer.write(block[i], classified);
    }
    // A block ends where no more input is at hand, so whoever waits for an answer before sending more gets it now.
    output.flush();
  }
  return failed ? ExitStatus::failed : ExitStatus::done;
}

}  // namespace

void add_classify_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ClassifyOptions>();
  CLI::App* command = app.add_subcommand("classify", "classify files, lines or texts");
  command->footer(examples);
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  command->add_option("INPUT", options->inputs, "files; - or nothing: standard input, one text a line")->type_name("");
  command->add_option("--text", options->texts, "classify this text; may be given again")
      ->allow_extra_args(false)
      ->type_name("TEXT");

  add_choice_option<Framing>(
      *command, "--input", options->framing,
      {{"lines", Framing::lines}, {"whole", Framing::whole}, {"nul", Framing::nul}, {"jsonl", Framing::jsonl}},
      "how inputs are told apart (a file is one input, standard input is lines)");
  command
      ->add_option_function<std::string>(
          "--field",
          [options](const std::string& field) {
            try {
              if (field.starts_with('/')) static_cast<void>(nlohmann::json::json_pointer(field));
            } catch (const nlohmann::json::exception&) {
              throw CLI::ValidationError("--field", "'" + field + "' is not a JSON pointer");
            }
            options->field = field;
          },
          "of JSON Lines: the field that holds the text, or a JSON pointer to it (text)")
      ->type_name("FIELD");

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
  command->add_option("--threads", options->threads, "threads to classify on (as many as there are processors)")
      ->type_name("N");
  command->add_flag("--time", options->time, "tell the microseconds that each input takes, measured over many calls");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return classify(*options); }; });
}

}  // namespace bytecnn::cli
