#include "write_cpp.hpp"

#include <algorithm>
#include <span>

#include "bytecnn/version.hpp"

#include "source_text.hpp"

namespace bytecnn::exporter {
namespace {

std::string array(const std::string& name, std::span<const float> values) {
  std::string text = "inline constexpr float " + name + "[] = {";
  std::size_t column = 200;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string number = decimal(values[i]) + "F";
    if (column + number.size() + 2 > 118) {
      text += "\n    ";
      column = 4;
    } else {
      text += ' ';
      ++column;
    }
    text += number + ",";
    column += number.size() + 1;
  }
  return text + "\n};\n";
}

/// A std::string; with its length where it holds a zero byte.
std::string string_value(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) return cpp_string(text);
  return "::std::string(" + cpp_string(text) + ", " + std::to_string(text.size()) + ")";
}

std::string activation(const Activation& activation) {
  static constexpr const char* kinds[] = {"none", "relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"};
  return std::string("{::bytecnn::Activation::Kind::") + kinds[static_cast<std::size_t>(activation.kind)] + ", " +
         decimal(activation.slope) + "F}";
}

std::string string_map(const std::map<std::string, std::string>& map) {
  std::string text = "{";
  for (const auto& [key, value] : map) {
    text += (text.size() > 1 ? ",\n      " : "") + ("{" + string_value(key)) + ", " + string_value(value) + "}";
  }
  return text + "}";
}

std::string info(const ModelInfo& info) {
  std::string text = "  result.info.name = " + string_value(info.name) +
                     ";\n  result.info.version = " + string_value(info.version) +
                     ";\n  result.info.parameters = " + std::to_string(info.parameters) + "U;\n";
  if (info.accuracy) text += "  result.info.accuracy = " + decimal(*info.accuracy) + ";\n";
  if (!info.exported.empty()) text += "  result.info.exported = " + string_value(info.exported) + ";\n";
  if (!info.labels.empty()) {
    text += "  result.info.labels = {";
    for (std::size_t i = 0; i < info.labels.size(); ++i) text += (i ? ", " : "") + string_value(info.labels[i]);
    text += "};\n";
  }
  if (info.threshold) text += "  result.info.threshold = " + decimal(*info.threshold) + ";\n";
  if (!info.source.empty()) text += "  result.info.source = " + string_map(info.source) + ";\n";
  if (!info.assumed.empty()) text += "  result.info.assumed = " + string_map(info.assumed) + ";\n";
  return text;
}

std::string conv_layer(const ConvLayer& layer) {
  std::string text = "  {\n    ::bytecnn::ConvLayer layer;\n";
  const auto set = [&](const char* member, const std::string& value) {
    text += "    layer." + std::string(member) + " = " + value + ";\n";
  };
  set("filters", std::to_string(layer.filters) + "U");
  set("kernel_size", std::to_string(layer.kernel_size) + "U");
  set("stride", std::to_string(layer.stride) + "U");
  set("dilation", std::to_string(layer.dilation) + "U");
  set("groups", std::to_string(layer.groups) + "U");
  set("pad_left", std::to_string(layer.pad_left) + "U");
  set("pad_right", std::to_string(layer.pad_right) + "U");
  set("activation", activation(layer.activation));
  if (layer.batch_norm) {
    const bool before = layer.batch_norm->position == BatchNormSpec::Position::before_activation;
    set("batch_norm",
        "::bytecnn::BatchNormSpec{" + decimal(layer.batch_norm->eps) +
            ", ::bytecnn::BatchNormSpec::Position::" + (before ? "before_activation" : "after_activation") + "}");
  }
  if (layer.residual) set("residual", "true");
  return text + "    result.architecture.conv_layers.push_back(layer);\n  }\n";
}

std::string architecture(const Architecture& architecture) {
  static constexpr const char* poolings[] = {"max", "avg", "avg_max", "concat_avg_max", "concat_avg_max_std"};
  static constexpr const char* outputs[] = {"sigmoid", "softmax", "none"};
  std::string text = "  result.architecture.vocab_size = " + std::to_string(architecture.vocab_size) +
                     "U;\n  result.architecture.embed_dim = " + std::to_string(architecture.embed_dim) + "U;\n";
  for (const ConvLayer& layer : architecture.conv_layers) text += conv_layer(layer);
  text += std::string("  result.architecture.pooling = ::bytecnn::Pooling::") +
          poolings[static_cast<std::size_t>(architecture.pooling)] + ";\n";
  for (const DenseLayer& layer : architecture.dense_layers) {
    text += "  result.architecture.dense_layers.push_back({" + std::to_string(layer.units) + "U, " +
            activation(layer.activation) + "});\n";
  }
  text += "  result.architecture.outputs = " + std::to_string(architecture.outputs) +
          "U;\n  result.architecture.output = ::bytecnn::Output::" +
          outputs[static_cast<std::size_t>(architecture.output)] +
          ";\n  result.architecture.max_len = " + std::to_string(architecture.max_len) +
          "U;\n  result.architecture.pad_token = ";
  return text + (architecture.pad_token ? std::to_string(*architecture.pad_token) + "U" : "::std::nullopt") + ";\n";
}

/// The list as constant data; empty where there is none.
std::string frequent_windows_data(const FrequentWindows& windows) {
  if (windows.tokens.empty()) return {};
  std::string text = "inline constexpr ::std::uint32_t frequent_windows[] = {";
  for (std::size_t i = 0; i < windows.tokens.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::string(i % 24 == 0 ? "\n    " : " ") + std::to_string(windows.tokens[i]);
  }
  return text + "};\n";
}

std::string frequent_windows_fill(const FrequentWindows& windows) {
  if (windows.tokens.empty()) return {};
  return "  result.frequent_windows.sample = " + cpp_string(windows.sample) +
         ";\n  result.frequent_windows.tokens.assign(::std::begin(data::frequent_windows), "
         "::std::end(data::frequent_windows));\n";
}

std::string golden(const std::vector<Golden>& pairs) {
  std::string text;
  for (const Golden& pair : pairs) {
    const std::string_view bytes(reinterpret_cast<const char*>(pair.input.data()), pair.input.size());
    text += "  golden({" + cpp_string(bytes) + ", " + std::to_string(bytes.size()) + "}, {";
    for (std::size_t i = 0; i < pair.logits.size(); ++i) text += (i ? ", " : "") + decimal(pair.logits[i]);
    text += "});\n";
  }
  return text;
}

constexpr const char* golden_lambda =
    R"(  const auto golden = [&](::std::string_view input, ::std::vector<double> logits) {
    ::bytecnn::Golden pair;
    for (const char c : input) pair.input.push_back(static_cast<::std::byte>(c));
    pair.logits = ::std::move(logits);
    result.golden.push_back(::std::move(pair));
  };
)";

}  // namespace

std::string cpp_namespace(std::string_view stem) {
  std::string name;
  for (const char c : stem) {
    const auto byte = static_cast<unsigned char>(c);
    const bool digit = c >= '0' && c <= '9';
    if (byte >= 0x80) {
      // Letters of other scripts become their bytes, so that two such stems keep two namespaces.
      name += 'x';
      name += "0123456789abcdef"[byte >> 4U];
      name += "0123456789abcdef"[byte & 15U];
    } else if (digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      if (name.empty() && digit) name = "m";
      name += c;
    } else if (!name.empty() && name.back() != '_') {
      name += '_';
    }
  }
  if (name.empty()) name = "unnamed";
  return name + (name.back() == '_' ? "model" : "_model");
}

std::string to_cpp(const Model& model, std::string_view stem) {
  const std::string space = cpp_namespace(stem);
  std::string text =
      "#pragma once\n// A byte-level CNN as constant data, written by bytecnn-export " BYTECNN_VERSION
      ".\n//\n//   const bytecnn::Classifier classifier(" +
      space +
      "::model());\n\n#include <cstddef>\n#include <cstdint>\n#include <iterator>\n#include <optional>\n#include "
      "<string>\n"
      "#include <string_view>\n#include <utility>\n#include <vector>\n\n#include \"bytecnn/model.hpp\"\n\nnamespace " +
      space + " {\nnamespace data {\n\n";
  std::string fill;
  const auto add = [&](const std::string& name, const std::string& member, const std::vector<float>& values) {
    text += array(name, values);
    fill += "  " + member + ".assign(::std::begin(data::" + name + "), ::std::end(data::" + name + "));\n";
  };
  add("embedding", "result.weights.embedding", model.weights.embedding);
  fill += "  result.weights.conv.resize(" + std::to_string(model.weights.conv.size()) + ");\n";
  for (std::size_t i = 0; i < model.weights.conv.size(); ++i) {
    const ConvWeights& conv = model.weights.conv[i];
    const std::string name = "conv" + std::to_string(i + 1);
    const std::string member = "result.weights.conv[" + std::to_string(i) + "].";
    add(name + "_weight", member + "weight", conv.weight);
    add(name + "_bias", member + "bias", conv.bias);
    if (conv.scale.empty()) continue;
    add(name + "_scale", member + "scale", conv.scale);
    add(name + "_shift", member + "shift", conv.shift);
  }
  if (!model.weights.dense.empty()) {
    fill += "  result.weights.dense.resize(" + std::to_string(model.weights.dense.size()) + ");\n";
  }
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    const std::string name = model.weights.dense.size() == 1 ? "classifier" : "dense" + std::to_string(i + 1);
    const std::string member = "result.weights.dense[" + std::to_string(i) + "].";
    add(name + "_weight", member + "weight", model.weights.dense[i].weight);
    add(name + "_bias", member + "bias", model.weights.dense[i].bias);
  }
  add("output_weight", "result.weights.output.weight", model.weights.output.weight);
  add("output_bias", "result.weights.output.bias", model.weights.output.bias);
  text += frequent_windows_data(model.frequent_windows);
  text +=
      "\n}  // namespace data\n\n/// The model; it was checked when it was exported. Allocates.\n"
      "[[nodiscard]] inline ::bytecnn::Model model() {\n  ::bytecnn::Model result;\n";
  text += info(model.info) + architecture(model.architecture) + fill + frequent_windows_fill(model.frequent_windows);
  if (!model.golden.empty()) text += golden_lambda + golden(model.golden);
  return text + "  return result;\n}\n\n}  // namespace " + space + "\n";
}

}  // namespace bytecnn::exporter
