#include "architecture_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

/// Runs one of the name parsers on a string value and gives its error the value's place.
template <class Parser>
auto parse_name(const JsonValue& value, Parser parser) {
  const std::string name = value.as_string();
  try {
    return parser(name);
  } catch (const Error& error) {
    throw error.at(value.pointer());
  }
}

std::optional<std::uint32_t> read_u32(const JsonValue& object, std::string_view key, std::uint32_t low,
                                      std::uint32_t high) {
  if (!object.has(key)) return std::nullopt;
  return object.at(key).as_u32(low, high);
}

PaddingStatement read_padding(const JsonValue& value) {
  using Kind = PaddingStatement::Kind;
  const auto columns = [](const JsonValue& number) { return number.as_u32(0, ModelLimits::max_padding); };
  if (value.json().is_string()) {
    const std::string name = value.as_string();
    if (name == "same") return {Kind::same, 0, 0};
    if (name == "valid") return {Kind::valid, 0, 0};
  } else if (value.json().is_array() && value.size() == 2) {
    return {Kind::columns, columns(value.at(0)), columns(value.at(1))};
  } else if (value.json().is_number()) {
    return {Kind::columns, columns(value), columns(value)};
  }
  value.fail("wrong padding", "[left, right], a number for both sides, \"same\" or \"valid\"");
}

BatchNormStatement read_batch_norm(const JsonValue& value) {
  BatchNormStatement statement;
  if (value.is_null()) {
    statement.none = true;
    return statement;
  }
  value.require_known_keys({"eps", "position"});
  if (value.has("eps")) {
    statement.eps = value.at("eps").as_double();
    if (*statement.eps < 0) value.at("eps").fail("out of range", "at least 0");
  }
  if (value.has("position")) statement.position = parse_name(value.at("position"), parse_batch_norm_position);
  return statement;
}

ConvLayerStatement read_conv_layer(const JsonValue& object) {
  object.require_known_keys(
      {"filters", "kernel_size", "stride", "dilation", "groups", "padding", "activation", "batch_norm", "residual"});
  ConvLayerStatement layer;
  layer.filters = read_u32(object, "filters", 1, ModelLimits::max_channels);
  layer.kernel_size = read_u32(object, "kernel_size", 1, ModelLimits::max_kernel_size);
  layer.stride = read_u32(object, "stride", 1, ModelLimits::max_stride_or_dilation);
  layer.dilation = read_u32(object, "dilation", 1, ModelLimits::max_stride_or_dilation);
  layer.groups = read_u32(object, "groups", 1, ModelLimits::max_channels);
  if (object.has("padding")) layer.padding = read_padding(object.at("padding"));
  if (object.has("activation")) layer.activation = parse_name(object.at("activation"), parse_activation);
  if (object.has("batch_norm")) layer.batch_norm = read_batch_norm(object.at("batch_norm"));
  if (object.has("residual")) layer.residual = object.at("residual").as_bool();
  return layer;
}

DenseLayerStatement read_dense_layer(const JsonValue& object) {
  object.require_known_keys({"units", "activation"});
  DenseLayerStatement layer;
  layer.units = read_u32(object, "units", 1, ModelLimits::max_channels);
  if (object.has("activation")) layer.activation = parse_name(object.at("activation"), parse_activation);
  return layer;
}

template <class Layer>
std::vector<Layer> read_layers(const JsonValue& array, Layer (*read)(const JsonValue&)) {
  array.require_array();
  if (array.size() > ModelLimits::max_layers) {
    array.fail("too many layers", "at most " + std::to_string(ModelLimits::max_layers), std::to_string(array.size()));
  }
  std::vector<Layer> layers;
  for (std::size_t i = 0; i < array.size(); ++i) layers.push_back(read(array.at(i)));
  return layers;
}

Json batch_norm_to_json(const std::optional<BatchNormSpec>& batch_norm) {
  if (!batch_norm) return nullptr;
  return {{"eps", batch_norm->eps}, {"position", to_string(batch_norm->position)}};
}

}  // namespace

void PaddingStatement::apply(ConvLayer& layer) const noexcept {
  switch (kind) {
    case Kind::columns:
      layer.pad_left = left;
      layer.pad_right = right;
      return;
    case Kind::same:
      layer.pad_left = layer.reach() / 2;
      layer.pad_right = layer.reach() - layer.pad_left;
      return;
    case Kind::valid:
      layer.pad_left = layer.pad_right = 0;
      return;
  }
}

ArchitectureStatement read_architecture_statement(const JsonValue& object) {
  object.require_known_keys({"vocab_size", "embed_dim", "conv_filters", "kernel_size", "dense_dim", "hidden_dim",
                             "conv_layers", "pooling", "dense_layers", "outputs", "output", "max_len", "pad_token"});
  ArchitectureStatement statement;
  statement.vocab_size = read_u32(object, "vocab_size", 1, ModelLimits::max_vocab_size);
  statement.embed_dim = read_u32(object, "embed_dim", 1, ModelLimits::max_channels);
  statement.conv_filters = read_u32(object, "conv_filters", 1, ModelLimits::max_channels);
  statement.kernel_size = read_u32(object, "kernel_size", 1, ModelLimits::max_kernel_size);
  statement.dense_dim = read_u32(object, "dense_dim", 1, ModelLimits::max_channels);
  // PinyByteCNN's exporter calls the same number hidden_dim where the layer is named fc1.
  if (const auto hidden_dim = read_u32(object, "hidden_dim", 1, ModelLimits::max_channels)) {
    if (statement.dense_dim.value_or(*hidden_dim) != *hidden_dim) {
      object.at("hidden_dim")
          .fail("contradicts dense_dim", std::to_string(*statement.dense_dim), std::to_string(*hidden_dim));
    }
    statement.dense_dim = hidden_dim;
  }
  statement.outputs = read_u32(object, "outputs", 1, ModelLimits::max_channels);
  if (object.has("max_len") && !object.at("max_len").is_null()) {
    statement.max_len = object.at("max_len").as_u32(1, ModelLimits::max_len);
  }
  if (object.has("conv_layers")) statement.conv_layers = read_layers(object.at("conv_layers"), read_conv_layer);
  if (object.has("dense_layers")) statement.dense_layers = read_layers(object.at("dense_layers"), read_dense_layer);
  if (object.has("pooling")) statement.pooling = parse_name(object.at("pooling"), parse_pooling);
  if (object.has("output")) statement.output = parse_name(object.at("output"), parse_output);
  if (object.has("pad_token")) {
    const JsonValue token = object.at("pad_token");
    statement.pad_token.emplace();
    if (!token.is_null()) *statement.pad_token = token.as_u32(0, ModelLimits::max_vocab_size - 1);
  }
  return statement;
}

ArchitectureStatement parse_architecture_statement(std::string_view json) {
  const Json document = parse_json_document(json);
  return read_architecture_statement(JsonValue(document, ""));
}

Json architecture_to_json(const Architecture& architecture) {
  Json object = {{"vocab_size", architecture.vocab_size}, {"embed_dim", architecture.embed_dim}};
  if (architecture.conv_layers.size() == 1) {  // for readers of the older format
    object["conv_filters"] = architecture.conv_layers[0].filters;
    object["kernel_size"] = architecture.conv_layers[0].kernel_size;
    if (architecture.dense_layers.size() == 1) object["dense_dim"] = architecture.dense_layers[0].units;
  }
  object["conv_layers"] = Json::array();
  for (const ConvLayer& layer : architecture.conv_layers) {
    Json conv = {{"filters", layer.filters},
                 {"kernel_size", layer.kernel_size},
                 {"stride", layer.stride},
                 {"dilation", layer.dilation},
                 {"groups", layer.groups},
                 {"padding", {layer.pad_left, layer.pad_right}},
                 {"activation", to_string(layer.activation)},
                 {"batch_norm", batch_norm_to_json(layer.batch_norm)}};
    if (layer.residual) conv["residual"] = true;
    object["conv_layers"].push_back(std::move(conv));
  }
  object["pooling"] = to_string(architecture.pooling);
  object["dense_layers"] = Json::array();
  for (const DenseLayer& layer : architecture.dense_layers) {
    object["dense_layers"].push_back({{"units", layer.units}, {"activation", to_string(layer.activation)}});
  }
  object["output"] = to_string(architecture.output);
  object["max_len"] = architecture.max_len;
  object["pad_token"] = architecture.pad_token ? Json(*architecture.pad_token) : Json(nullptr);
  return object;
}

}  // namespace bytecnn
