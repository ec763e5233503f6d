/// bytecnn explain: why the model says so, byte by byte.

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "bytecnn/classifier.hpp"

#include "commands.hpp"
#include "explain_report.hpp"
#include "explained_input.hpp"
#include "input_file.hpp"
#include "output_file.hpp"
#include "standard_output.hpp"

namespace bytecnn::cli {
namespace {

struct ExplainOptions {
  std::string model;
  std::string input = "-";
  std::optional<std::string> text;
  ExplainChoice choice;
  bool hex = false;
  bool json = false;
  std::string html;
  ColorChoice color = ColorChoice::automatic;
};

constexpr std::size_t default_columns = 100;
constexpr std::size_t read_bytes = std::size_t{1} << 16U;
constexpr std::size_t max_explained_bytes = std::size_t{1} << 28U;  // as the limit of `classify`

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// All of a file; what lies beyond the model's reach is read too, so that its length can be told.
std::vector<std::byte> read_input(const std::string& path) {
  if (path == "-" && ::isatty(STDIN_FILENO) == 1) {
    std::cerr << "bytecnn: reading one input from the terminal; Ctrl-D ends it\n";
  }
  InputFile file(path);
  std::vector<std::byte> bytes;
  for (std::size_t count = 1; count != 0 && bytes.size() < max_explained_bytes;) {
    const std::size_t size = bytes.size();
    bytes.resize(size + read_bytes);
    count = file.read_some(std::span(bytes).subspan(size));
    bytes.resize(size + count);
  }
  if (!file.error().empty()) throw InputError(path + ": " + file.error());
  // As `classify` reads lines, where the newline is no part of them.
  if (path == "-" && !bytes.empty() && bytes.back() == std::byte{'\n'}) bytes.pop_back();
  return bytes;
}

ExitStatus explain(const ExplainOptions& options) {
  const Classifier classifier = Classifier::load(options.model);
  ExplainedInput input =
      explain_input(classifier, options.text ? bytes_of(*options.text) : read_input(options.input), options.choice);
  if (!options.text && options.input != "-") input.name = options.input;
  const bool binary = options.hex || is_binary(input.bytes);
  if (!options.html.empty()) write_output_file(options.html, explain_html(classifier, input, binary));
  StandardOutput output;
  if (options.json) {
    output << explain_json(classifier, input);
  } else {
    output << explain_text(classifier, input, binary, Painter(options.color), terminal_columns(default_columns));
  }
  output.flush();
  return ExitStatus::done;
}

}  // namespace

void add_explain_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* command = app.add_subcommand("explain", "show which bytes of an input decided");
  command->footer(R"(
Examples:
  bytecnn explain model.json mail.eml
  bytecnn explain model.json --text "guten Morgen" --against nl
  head -n 1 access.log | bytecnn explain model.json
  bytecnn explain model.json firmware.bin --html why.html --hex

Every byte gets its share of the label's logit (DeepLIFT's rescale rule), and the shares add up: logit = logit without
any text + the sum of all contributions. What speaks for the label is orange, what speaks against it blue. The page of
--html needs nothing else; hovering over a byte tells its number.)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  CLI::Option* input =
      command->add_option("INPUT", options->input, "a file, one input; - or nothing: standard input")->type_name("");
  command->add_option("--text", options->text, "explain this text")->type_name("TEXT")->excludes(input);
  command->add_option("--label", options->choice.label, "explain this label (the one that was decided)")
      ->type_name("LABEL");
  command->add_option("--against", options->choice.against, "explain what tells the label from this one")
      ->type_name("LABEL");
  command->add_flag("--hex", options->hex, "show bytes as numbers (so shown anyway where few are text)");
  command->add_flag("--json", options->json, "the contributions as a JSON object");
  command->add_option("--html", options->html, "also write a page into this file")->type_name("FILE.html");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return explain(*options); }; });
}

}  // namespace bytecnn::cli
