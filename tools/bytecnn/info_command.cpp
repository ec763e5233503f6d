/// bytecnn info: what a model is made of, and how it runs on this machine.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "arithmetic_option.hpp"
#include "commands.hpp"
#include "number_text.hpp"
#include "standard_output.hpp"
#include "table.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t widest_text = 80;
constexpr std::size_t columns_of_names = 18;  // before the text, with its margins
constexpr std::uint64_t widest_bar = 12;

struct InfoOptions {
  std::string model;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
  Arithmetic arithmetic = Arithmetic::float32;
};

std::string shape(std::uint64_t from, std::uint64_t to) {
  return std::to_string(from) + " → " + std::to_string(to);
}

std::string factor(std::uint32_t number) {
  return number == 1 ? "" : std::to_string(number);
}

/// Text from the file is shown, never obeyed.
std::string safe(const std::string& text) {
  return printable(text, 200);
}

/// Names in lines that fit the terminal, as many as it takes.
std::vector<std::string> wrapped(std::span<const std::string> names) {
  const std::size_t terminal = terminal_columns(widest_text + columns_of_names);
  const std::size_t columns =
      std::clamp(terminal, columns_of_names + 10, widest_text + columns_of_names) - columns_of_names;
  std::vector<std::string> lines{""};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string name = safe(names[i]) + (i + 1 < names.size() ? ", " : "");
    if (!lines.back().empty() && display_width(lines.back()) + display_width(name) > columns + 1) {
      lines.emplace_back();
    }
    lines.back() += name;
  }
  return lines;
}

std::string input_text(const Architecture& architecture) {
  std::string text = "up to " + with_separators(architecture.max_len) + " bytes, ";
  if (!architecture.pad_token) return text + "not padded";
  return text + "padded with token " + std::to_string(*architecture.pad_token);
}

/// {"bytecnn_10k.pth", "state_dict", "sha256 0f3a..."}: whatever the file tells of where it came from.
std::vector<std::string> source_words(const std::map<std::string, std::string>& source) {
  std::vector<std::string> words;
  for (const auto& [key, value] : source) words.push_back((key == "file" || key == "form" ? "" : key + " ") + value);
  return words;
}

std::size_t frequent_windows_count(const Model& model) {
  return model.frequent_windows.tokens.size() / model.architecture.conv_layers[0].kernel_size;
}

/// Empty where the model states none.
std::string frequent_windows_text(const Classifier& classifier) {
  const Model& model = classifier.model();
  const std::size_t count = frequent_windows_count(model);
  if (count == 0) return {};
  const std::string& sample = model.frequent_windows.sample;
  return with_separators(count) + (sample.empty() ? "" : ", counted in " + safe(sample)) +
         (classifier.has_bulk_plan() ? "" : " (not used: batches of this model look none up)");
}

std::string about(const Classifier& classifier, const std::string& path, const Painter& painter) {
  const Model& model = classifier.model();
  const ModelInfo& info = model.info;
  Table table({{""}, {""}});
  const auto add = [&table](const std::string& name, const std::string& value) {
    if (!value.empty()) table.add_row({{name, Style::faint}, value});
  };
  add("file", safe(path));
  add("parameters", with_separators(info.parameters));
  if (info.accuracy) add("accuracy", fixed(*info.accuracy * 100, 2) + " %");
  add("input", input_text(model.architecture));
  const auto add_lines = [&table](std::string heading, std::span<const std::string> words) {
    for (const std::string& line : wrapped(words)) {
      if (!line.empty()) table.add_row({{std::exchange(heading, " "), Style::faint}, line});
    }
  };
  add_lines("labels", classifier.labels());
  if (classifier.threshold() > 0) add("threshold", short_number(static_cast<double>(classifier.threshold())));
  add("exported", safe(info.exported));
  add_lines("source", source_words(info.source));
  add("golden vectors", model.golden.empty() ? "none" : std::to_string(model.golden.size()) + " (see 'bytecnn check')");
  add("frequent windows", frequent_windows_text(classifier));
  const std::string title =
      safe(info.name.empty() ? path : info.name) + (info.version.empty() ? "" : " " + safe(info.version));
  return painter.paint(Style::heading, title) + "\n" + table.render(painter);
}

std::string notes(const ConvLayer& layer) {
  std::string text;
  const auto add = [&text](const std::string& note) { text += (text.empty() ? "" : ", ") + note; };
  if (layer.batch_norm) {
    const bool folded = layer.batch_norm->position == BatchNormSpec::Position::before_activation;
    add(std::string("batch norm ") + (folded ? "folded in" : "after the activation"));
  }
  if (layer.residual) add("adds its input");
  return text;
}

/// A line of the table of layers.
struct LayerRow {
  std::string name, shape, kernel, stride, dilation, groups, padding, sees, activation;
  std::optional<std::uint64_t> weights;
  std::string notes;
};

std::vector<LayerRow> layer_rows(const Model& model) {
  const Architecture& architecture = model.architecture;
  std::vector<LayerRow> rows;
  const auto add = [&rows](const std::string& name, const std::string& layer_shape) -> LayerRow& {
    LayerRow& row = rows.emplace_back();
    row.name = name;
    row.shape = layer_shape;
    return row;
  };
  add("embedding", shape(architecture.vocab_size, architecture.embed_dim)).weights = model.weights.embedding.size();

  std::uint64_t seen = 1;  // bytes that one column depends on
  std::uint64_t step = 1;  // bytes from one column to the next
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const ConvWeights& weights = model.weights.conv[i];
    seen += layer.reach() * step;
    step *= layer.stride;
    LayerRow& row = add("conv " + std::to_string(i + 1), shape(architecture.in_channels(i), layer.filters));
    row.kernel = std::to_string(layer.kernel_size);
    row.stride = factor(layer.stride);
    row.dilation = factor(layer.dilation);
    row.groups = factor(layer.groups);
    row.padding = std::to_string(layer.pad_left) + " + " + std::to_string(layer.pad_right);
    row.sees = with_separators(seen) + " bytes";
    row.activation = to_string(layer.activation);
    row.weights = weights.weight.size() + weights.bias.size() + weights.scale.size() + weights.shift.size();
    row.notes = notes(layer);
  }
  std::uint64_t features = architecture.pooled_features();
  add("pooling", shape(architecture.conv_layers.back().filters, features)).activation = to_string(architecture.pooling);

  const auto add_dense = [&](const std::string& name, std::uint64_t units, const std::string& activation,
                             const DenseWeights& weights) {
    LayerRow& row = add(name, shape(features, units));
    row.activation = activation;
    row.weights = weights.weight.size() + weights.bias.size();
    features = units;
  };
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    const DenseLayer& layer = architecture.dense_layers[i];
    add_dense("dense " + std::to_string(i + 1), layer.units, to_string(layer.activation), model.weights.dense[i]);
  }
  add_dense("output", architecture.outputs, std::string(to_string(architecture.output)), model.weights.output);
  return rows;
}

std::string layers(const Model& model, const Painter& painter) {
  const auto rows = layer_rows(model);
  std::uint64_t most = 1;
  for (const LayerRow& row : rows) most = std::max(most, row.weights.value_or(0));
  Table table({{"layer"},
               {"shape"},
               {"kernel", Align::right},
               {"stride", Align::right},
               {"dilation", Align::right},
               {"groups", Align::right},
               {"padding", Align::right},
               {"sees", Align::right},
               {"activation"},
               {"weights", Align::right},
               {""},
               {""}});
  for (const LayerRow& row : rows) {
    std::string bar;
    for (std::uint64_t i = 0; i < row.weights.value_or(0) * widest_bar / most; ++i) bar += "━";
    table.add_row({row.name,
                   row.shape,
                   row.kernel,
                   row.stride,
                   row.dilation,
                   row.groups,
                   row.padding,
                   row.sees,
                   row.activation,
                   row.weights ? with_separators(*row.weights) : std::string(),
                   {bar, Style::good},
                   row.notes});
  }
  return painter.paint(Style::heading, "Layers") + "\n" + table.render(painter);
}

/// What the export had to be told or to assume, by where it is known from.
std::string assumptions(const ModelInfo& info, const Painter& painter) {
  if (info.assumed.empty()) return {};
  std::map<std::string, std::vector<std::string>> by_source;
  for (const auto& [key, source] : info.assumed) by_source[source].push_back(key);
  Table table({{"known from"}, {"what"}});
  for (const auto& [source, keys] : by_source) {
    std::string name = safe(source);
    for (const std::string& line : wrapped(keys)) table.add_row({std::exchange(name, " "), line});
  }
  return "\n" + painter.paint(Style::heading, "What the weights alone do not tell") + "\n" + table.render(painter);
}

std::string engine(const Classifier& classifier, const Painter& painter) {
  std::string supported;
  for (const Isa isa : supported_isas()) supported += (supported.empty() ? "" : ", ") + std::string(to_string(isa));
  std::string text = "\n" + painter.paint(Style::heading, "Engine") + "\n  " +
                     std::string(to_string(classifier.isa())) +
                     painter.paint(Style::faint, "  (this machine runs " + supported + ")") + "\n";
  std::istringstream lines(classifier.plan_description());
  for (std::string line; std::getline(lines, line);) text += "  " + line + "\n";
  return text;
}

/// The model file's own words without the numbers, and what this machine makes of it.
std::string as_json(const Classifier& classifier, const std::string& path) {
  const auto without_weights = [](int depth, nlohmann::ordered_json::parse_event_t event,
                                  nlohmann::ordered_json& parsed) {
    return !(depth == 1 && event == nlohmann::ordered_json::parse_event_t::key &&
             (parsed == "weights" || parsed == "golden" || parsed == "frequent_windows"));
  };
  auto json = nlohmann::ordered_json::parse(to_json(classifier.model()), without_weights);
  json["file"] = path;
  json["labels"] = classifier.labels();
  json["threshold"] = classifier.threshold();
  json["golden_vectors"] = classifier.model().golden.size();
  if (const std::size_t count = frequent_windows_count(classifier.model()); count > 0) {
    json["frequent_windows"] = {{"count", count}, {"sample", classifier.model().frequent_windows.sample}};
  }
  json["isa"] = to_string(classifier.isa());
  json["supported_isas"] = nlohmann::ordered_json::array();
  for (const Isa isa : supported_isas()) json["supported_isas"].push_back(to_string(isa));
  json["plan"] = nlohmann::ordered_json::array();
  std::istringstream lines(classifier.plan_description());
  for (std::string line; std::getline(lines, line);) json["plan"].push_back(line);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ExitStatus info(const InfoOptions& options) {
  const Classifier classifier = Classifier::load(options.model, ClassifierOptions{{}, options.arithmetic});
  StandardOutput output;
  if (options.json) {
    output << as_json(classifier, options.model);
  } else {
    const Painter painter(options.color);
    const Model& model = classifier.model();
    output << about(classifier, options.model, painter) << '\n'
           << layers(model, painter) << assumptions(model.info, painter) << engine(classifier, painter);
  }
  output.flush();
  return ExitStatus::done;
}

}  // namespace

void add_info_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<InfoOptions>();
  CLI::App* command = app.add_subcommand("info", "show what a model is made of and how it runs here");
  command->footer(R"(
Examples:
  bytecnn info model.json
  bytecnn info model.json --json | jq .architecture
  bytecnn info model.json --arithmetic int16            the error of 16-bit tables, measured and bounded
  BYTECNN_FORCE_ISA=avx2 bytecnn info model.json        the plan for another instruction set)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  command->add_flag("--json", options->json, "the same as a JSON object");
  add_arithmetic_option(*command, options->arithmetic);
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return info(*options); }; });
}

}  // namespace bytecnn::cli
