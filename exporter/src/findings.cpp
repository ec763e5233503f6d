#include "findings.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace bytecnn::exporter {
namespace {

std::string number(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

/// What `key` says of one conv layer; empty where it says nothing.
std::string conv_value(const ConvLayer& layer, std::string_view key) {
  if (key == "padding") return "[" + std::to_string(layer.pad_left) + ", " + std::to_string(layer.pad_right) + "]";
  if (key == "stride") return std::to_string(layer.stride);
  if (key == "dilation") return std::to_string(layer.dilation);
  if (key == "groups") return std::to_string(layer.groups);
  if (key == "activation") return to_string(layer.activation);
  if (key == "residual") return layer.residual ? "true" : "false";
  if (key == "batch_norm") return layer.batch_norm ? std::string(to_string(layer.batch_norm->position)) : "none";
  if (key == "batch_norm_eps") return layer.batch_norm ? number(layer.batch_norm->eps) : "";
  if (key == "batch_norm_position") return layer.batch_norm ? std::string(to_string(layer.batch_norm->position)) : "";
  return {};
}

/// The values of all layers, once where they agree.
std::string of_layers(const std::vector<std::string>& values) {
  std::vector<std::string> shown;
  for (const std::string& value : values) {
    if (!value.empty()) shown.push_back(value);
  }
  if (shown.empty()) return {};
  if (std::all_of(shown.begin(), shown.end(), [&](const std::string& value) { return value == shown.front(); })) {
    return shown.front();
  }
  std::string text;
  for (const std::string& value : shown) text += (text.empty() ? "" : "; ") + value;
  return text;
}

/// The 0-based layer of a key like "conv2.padding"; the key loses that part.
std::size_t take_layer(std::string& key, std::string_view kind) {
  const std::size_t dot = key.find('.');
  std::size_t layer = 0;
  const char* const begin = key.data() + kind.size();
  const auto result = std::from_chars(begin, key.data() + std::min(dot, key.size()), layer);
  if (dot == std::string::npos || result.ec != std::errc() || result.ptr != key.data() + dot || layer == 0) return 0;
  key.erase(0, dot + 1);
  return layer;
}

}  // namespace

std::string value_of(const Architecture& architecture, const std::string& full_key) {
  if (full_key == "pooling") return std::string(to_string(architecture.pooling));
  if (full_key == "output") return std::string(to_string(architecture.output));
  if (full_key == "max_len") return std::to_string(architecture.max_len);
  if (full_key == "pad_token") return architecture.pad_token ? std::to_string(*architecture.pad_token) : "none";
  std::string key = full_key;
  std::size_t only = 0;
  const bool dense = key.starts_with("dense");
  if (key.starts_with("conv")) only = take_layer(key, "conv");
  if (dense) only = take_layer(key, "dense");
  std::vector<std::string> values;
  if (dense) {
    for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
      if (only == 0 || only == i + 1) values.push_back(to_string(architecture.dense_layers[i].activation));
    }
  } else {
    for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
      if (only == 0 || only == i + 1) values.push_back(conv_value(architecture.conv_layers[i], key));
    }
  }
  return of_layers(values);
}

std::vector<Finding> findings(const Original& original) {
  const Architecture& architecture = original.architecture;
  std::vector<Finding> rows;
  const char* const shapes = "checkpoint";
  rows.push_back(
      {"embedding", std::to_string(architecture.vocab_size) + " x " + std::to_string(architecture.embed_dim), shapes});
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    std::string value = std::to_string(layer.filters) + " filters, kernel " + std::to_string(layer.kernel_size);
    if (layer.groups > 1) value += ", " + std::to_string(layer.groups) + " groups";
    if (layer.batch_norm) value += ", batch norm";
    rows.push_back({"conv" + std::to_string(i + 1), value, shapes});
  }
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    rows.push_back(
        {"dense" + std::to_string(i + 1), std::to_string(architecture.dense_layers[i].units) + " units", shapes});
  }
  rows.push_back({"outputs", std::to_string(architecture.outputs), shapes});
  rows.push_back({"parameters", std::to_string(original.parameters), shapes});
  for (const auto& [key, source] : original.sources) rows.push_back({key, value_of(architecture, key), source});
  return rows;
}

std::string to_text(const std::vector<Finding>& rows) {
  std::size_t key = 0;
  std::size_t value = 0;
  for (const Finding& row : rows) {
    key = std::max(key, row.key.size());
    value = std::max(value, row.value.size());
  }
  std::string text;
  for (const Finding& row : rows) {
    text += "  " + row.key + std::string(key - row.key.size() + 2, ' ') + row.value +
            std::string(value - row.value.size() + 2, ' ') + row.source + "\n";
  }
  return text;
}

}  // namespace bytecnn::exporter
