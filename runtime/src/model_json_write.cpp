// Models to model files.

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/model_json.hpp"

#include "architecture_json.hpp"
#include "atomic_file.hpp"
#include "frequent_windows_json.hpp"
#include "hexadecimal.hpp"
#include "json_document.hpp"
#include "weight_arrays.hpp"
#include "weight_names.hpp"

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

Json info_to_json(const ModelInfo& info) {
  Json object = {{"name", info.name}, {"version", info.version}, {"parameters", info.parameters}};
  if (info.accuracy) object["accuracy"] = *info.accuracy;
  if (!info.exported.empty()) object["exported"] = info.exported;
  if (!info.labels.empty()) object["labels"] = info.labels;
  if (info.threshold) object["threshold"] = *info.threshold;
  if (!info.source.empty()) object["source"] = info.source;
  if (!info.assumed.empty()) object["assumed"] = info.assumed;
  object.update(parse_json_document(info.extra));
  return object;
}

Json golden_to_json(const std::vector<Golden>& golden) {
  Json array = Json::array();
  for (const Golden& entry : golden) {
    std::string hex;
    for (const std::byte byte : entry.input) append_hex(hex, std::to_integer<unsigned>(byte));
    array.push_back({{"input_hex", hex}, {"logits", entry.logits}});
  }
  return array;
}

/// `"name": [[...]]` members, the arrays written by hand because their floats are shorter than doubles.
class WeightWriter {
 public:
  void add(const std::string& name, std::span<const float> values, std::initializer_list<std::size_t> shape) {
    text_ += text_.empty() ? "" : ",\n";
    text_ += "    \"" + name + "\": ";
    append_weight_array(text_, values, std::vector<std::size_t>(shape));
  }

  void add_dense(const std::string& name, const DenseWeights& dense) {
    add(name + "_weight", dense.weight, {dense.bias.size(), dense.weight.size() / dense.bias.size()});
    add(name + "_bias", dense.bias, {dense.bias.size()});
  }

  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

std::string weights_to_text(const Model& model) {
  const Architecture& architecture = model.architecture;
  WeightWriter writer;
  writer.add("embedding", model.weights.embedding, {architecture.vocab_size, architecture.embed_dim});
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const ConvWeights& conv = model.weights.conv[i];
    const std::string name = conv_name(i);
    writer.add(name + "_weight", conv.weight,
               {layer.filters, architecture.in_channels(i) / layer.groups, layer.kernel_size});
    writer.add(name + "_bias", conv.bias, {layer.filters});
    if (conv.scale.empty()) continue;
    writer.add(name + "_scale", conv.scale, {layer.filters});
    writer.add(name + "_shift", conv.shift, {layer.filters});
  }
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    writer.add_dense(dense_name(i, model.weights.dense.size()), model.weights.dense[i]);
  }
  writer.add_dense("output", model.weights.output);
  return writer.text();
}

/// `dump` with the inner lines moved in by two, so that it fits into the object around it.
std::string indented(const Json& json) {
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
    text.insert(at + 1, "  ");
  return text;
}

}  // namespace

std::string to_json(const Model& model) {
  validate(model);
  std::string text = "{\n  \"format\": \"bytecnn\",\n  \"format_version\": 1,\n";
  text += "  \"model_info\": " + indented(info_to_json(model.info)) + ",\n";
  text += "  \"architecture\": " + indented(architecture_to_json(model.architecture)) + ",\n";
  text += "  \"weights\": {\n" + weights_to_text(model) + "\n  }";
  if (!model.golden.empty()) text += ",\n  \"golden\": " + golden_to_json(model.golden).dump();
  if (!model.frequent_windows.tokens.empty()) {
    text +=
        ",\n  \"frequent_windows\": " + indented(frequent_windows_to_json(model.frequent_windows, model.architecture));
  }
  const Json extra = parse_json_document(model.extra);
  for (const auto& [key, value] : extra.items()) {
    text += ",\n  " + Json(key).dump() + ": " + indented(value);
  }
  return text + "\n}\n";
}

void save_model(const Model& model, const std::string& path) {
  write_file_atomically(path, to_json(model));
}

}  // namespace bytecnn
