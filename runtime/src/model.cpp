#include "bytecnn/model.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/error.hpp"

#include "json_document.hpp"
#include "weight_names.hpp"

namespace bytecnn {
namespace {

[[noreturn]] void invalid(const std::string& where, std::string message, std::string expected = {},
                          std::string found = {}) {
  throw Error(ErrorCode::invalid, std::move(message), where, std::move(expected), std::move(found));
}

void check_range(const std::string& where, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value < low || value > high) {
    invalid(where, "out of range", std::to_string(low) + " to " + std::to_string(high), std::to_string(value));
  }
}

void check_activation(const std::string& where, const Activation& activation) {
  if (!std::isfinite(activation.slope)) invalid(where, "leaky_relu's slope is not finite");
}

void check_conv_layer(const Architecture& architecture, std::size_t index) {
  const ConvLayer& layer = architecture.conv_layers[index];
  const std::string where = "/architecture/conv_layers/" + std::to_string(index);
  const std::uint32_t in_channels = architecture.in_channels(index);
  check_range(where + "/filters", layer.filters, 1, ModelLimits::max_channels);
  check_range(where + "/kernel_size", layer.kernel_size, 1, ModelLimits::max_kernel_size);
  check_range(where + "/stride", layer.stride, 1, ModelLimits::max_stride_or_dilation);
  check_range(where + "/dilation", layer.dilation, 1, ModelLimits::max_stride_or_dilation);
  check_range(where + "/groups", layer.groups, 1, ModelLimits::max_channels);
  check_range(where + "/padding/0", layer.pad_left, 0, ModelLimits::max_padding);
  check_range(where + "/padding/1", layer.pad_right, 0, ModelLimits::max_padding);
  if (in_channels % layer.groups != 0 || layer.filters % layer.groups != 0) {
    invalid(where + "/groups", "input channels and filters must be multiples of groups",
            "a divisor of " + std::to_string(in_channels) + " and " + std::to_string(layer.filters),
            std::to_string(layer.groups));
  }
  check_activation(where + "/activation", layer.activation);
  if (layer.batch_norm && !(layer.batch_norm->eps >= 0 && std::isfinite(layer.batch_norm->eps))) {
    invalid(where + "/batch_norm/eps", "not a finite number of at least 0");
  }
  if (!layer.residual) return;
  if (layer.filters != in_channels) {
    invalid(where + "/residual", "a residual block must keep the number of channels",
            std::to_string(in_channels) + " filters", std::to_string(layer.filters));
  }
  const std::uint64_t padding = std::uint64_t{layer.pad_left} + layer.pad_right;
  if (layer.stride != 1 || padding != layer.reach()) {
    invalid(where + "/residual", "a residual block must keep the length: stride 1 and padding that adds up to",
            std::to_string(layer.reach()), std::to_string(padding) + " with stride " + std::to_string(layer.stride));
  }
}

void check_weights(const std::string& name, std::span<const float> values, std::uint64_t expected) {
  const std::string where = "/weights/" + name;
  if (values.size() != expected) {
    invalid(where, "wrong number of weights", std::to_string(expected), std::to_string(values.size()));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) invalid(where, "weight " + std::to_string(i) + " is not finite");
  }
}

void check_dense(const std::string& name, const DenseWeights& dense, std::uint64_t inputs, std::uint64_t units) {
  check_weights(name + "_weight", dense.weight, inputs * units);
  check_weights(name + "_bias", dense.bias, units);
}

void check_all_weights(const Model& model) {
  const Architecture& architecture = model.architecture;
  const Weights& weights = model.weights;
  check_weights("embedding", weights.embedding, std::uint64_t{architecture.vocab_size} * architecture.embed_dim);
  if (weights.conv.size() != architecture.conv_layers.size()) {
    invalid("/weights", "wrong number of conv layers", std::to_string(architecture.conv_layers.size()),
            std::to_string(weights.conv.size()));
  }
  for (std::size_t i = 0; i < weights.conv.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const ConvWeights& conv = weights.conv[i];
    const std::string name = conv_name(i);
    const std::uint64_t window = std::uint64_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size;
    check_weights(name + "_weight", conv.weight, window * layer.filters);
    check_weights(name + "_bias", conv.bias, layer.filters);
    const bool scaled = !conv.scale.empty() || !conv.shift.empty();
    if (scaled) {
      check_weights(name + "_scale", conv.scale, layer.filters);
      check_weights(name + "_shift", conv.shift, layer.filters);
    }
    if (layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::before_activation) {
      invalid("/architecture/conv_layers/" + std::to_string(i) + "/batch_norm",
              "batch norm before the activation must be folded into the weights", "null");
    }
    if (layer.batch_norm.has_value() != scaled) {
      invalid("/architecture/conv_layers/" + std::to_string(i) + "/batch_norm",
              "batch norm after the activation goes with " + name + "_scale and " + name + "_shift");
    }
  }
  if (weights.dense.size() != architecture.dense_layers.size()) {
    invalid("/weights", "wrong number of dense layers", std::to_string(architecture.dense_layers.size()),
            std::to_string(weights.dense.size()));
  }
  std::uint64_t features = architecture.pooled_features();
  for (std::size_t i = 0; i < weights.dense.size(); ++i) {
    const std::string name = dense_name(i, weights.dense.size());
    check_dense(name, weights.dense[i], features, architecture.dense_layers[i].units);
    features = architecture.dense_layers[i].units;
  }
  check_dense("output", weights.output, features, architecture.outputs);
}

void check_labels(const ModelInfo& info, const Architecture& architecture) {
  if (!info.labels.empty()) {
    const bool binary = architecture.output != Output::softmax && architecture.outputs == 1;
    const std::size_t expected = binary ? 2 : architecture.outputs;
    if (info.labels.size() != expected) {
      invalid("/model_info/labels", "wrong number of labels", std::to_string(expected),
              std::to_string(info.labels.size()));
    }
    if (std::set<std::string>(info.labels.begin(), info.labels.end()).size() != info.labels.size()) {
      invalid("/model_info/labels", "two labels are equal");
    }
  }
  if (info.threshold && !std::isfinite(*info.threshold)) invalid("/model_info/threshold", "not a finite number");
  if (info.accuracy && !std::isfinite(*info.accuracy)) invalid("/model_info/accuracy", "not a finite number");
}

/// What is kept of unknown keys must be an object, and must not repeat a known key: it is written beside those.
void check_extra(const std::string& where, const std::string& extra, std::initializer_list<std::string_view> known) {
  try {
    const nlohmann::ordered_json document = parse_json_document(extra);
    const JsonValue value(document, "");
    value.require_object();
    for (const std::string_view key : known) {
      if (value.has(key)) invalid(where, "a known key among the unknown ones", {}, "\"" + std::string(key) + "\"");
    }
  } catch (const Error& error) {
    if (error.where() == where) throw;
    invalid(where, std::string("the kept unknown keys are no JSON object: ") + error.what());
  }
}

/// The first window that stands twice, or `count`. By open addressing: a sorted container would take longer than all
/// else that is read of such a list.
std::size_t first_repeated(std::span<const std::uint32_t> tokens, std::size_t length) {
  const std::size_t count = tokens.size() / length;
  std::vector<std::uint32_t> places(std::bit_ceil(2 * count + 1), static_cast<std::uint32_t>(count));
  const std::size_t mask = places.size() - 1;
  for (std::size_t i = 0; i < count; ++i) {
    const auto window = tokens.subspan(i * length, length);
    std::uint64_t hash = 0;
    for (const std::uint32_t token : window) hash = (hash + token + 1) * 0x9E3779B97F4A7C15U;
    std::size_t place = (hash >> 32U) & mask;
    for (; places[place] != count; place = (place + 1) & mask) {
      if (std::ranges::equal(window, tokens.subspan(places[place] * length, length))) return i;
    }
    places[place] = static_cast<std::uint32_t>(i);
  }
  return count;
}

void check_frequent_windows(const FrequentWindows& windows, const Architecture& architecture) {
  const std::string where = "/frequent_windows/tokens";
  const std::size_t length = architecture.conv_layers[0].kernel_size;
  const std::size_t count = windows.tokens.size() / length;
  if (count * length != windows.tokens.size()) {
    invalid(where, "not a whole number of windows", "a multiple of " + std::to_string(length) + " tokens",
            std::to_string(windows.tokens.size()));
  }
  if (count > ModelLimits::max_frequent_windows) {
    throw Error(ErrorCode::limit, "too many windows", where,
                "at most " + std::to_string(ModelLimits::max_frequent_windows), std::to_string(count));
  }
  for (std::size_t i = 0; i < windows.tokens.size(); ++i) {
    const std::uint32_t token = windows.tokens[i];
    if (token < 256 || token == architecture.pad_token || token == architecture.vocab_size) continue;
    invalid(where, "window " + std::to_string(i / length) + " holds a token that no input has", {},
            std::to_string(token));
  }
  if (const std::size_t again = first_repeated(windows.tokens, length); again < count) {
    invalid(where, "window " + std::to_string(again) + " stands there twice");
  }
}

}  // namespace

std::uint64_t ConvLayer::output_length(std::uint64_t length) const noexcept {
  const std::uint64_t padded = length + pad_left + pad_right;
  return padded < std::uint64_t{reach()} + 1 ? 0 : (padded - reach() - 1) / stride + 1;
}

std::uint64_t minimum_pooled_positions(Pooling pooling) noexcept {
  return pooling == Pooling::concat_avg_max_std ? 2 : 1;
}

std::uint32_t Architecture::in_channels(std::size_t layer) const noexcept {
  return layer == 0 ? embed_dim : conv_layers[layer - 1].filters;
}

std::uint32_t Architecture::pooled_features() const noexcept {
  const std::uint32_t channels = in_channels(conv_layers.size());
  switch (pooling) {
    case Pooling::concat_avg_max:
      return 2 * channels;
    case Pooling::concat_avg_max_std:
      return 3 * channels;
    default:
      return channels;
  }
}

std::uint64_t Architecture::pooled_positions(std::uint64_t length) const noexcept {
  for (const ConvLayer& layer : conv_layers) {
    length = layer.output_length(length);
    if (length == 0) return 0;
  }
  return length;
}

void validate(const Architecture& architecture) {
  // A byte is a token, so a vocabulary of fewer than 256 has bytes without an embedding.
  check_range("/architecture/vocab_size", architecture.vocab_size, 256, ModelLimits::max_vocab_size);
  check_range("/architecture/embed_dim", architecture.embed_dim, 1, ModelLimits::max_channels);
  check_range("/architecture/max_len", architecture.max_len, 1, ModelLimits::max_len);
  if (architecture.pad_token) {
    check_range("/architecture/pad_token", *architecture.pad_token, 0, architecture.vocab_size - 1);
  }
  if (architecture.conv_layers.empty() || architecture.conv_layers.size() > ModelLimits::max_layers) {
    invalid("/architecture/conv_layers", "wrong number of conv layers",
            "1 to " + std::to_string(ModelLimits::max_layers), std::to_string(architecture.conv_layers.size()));
  }
  if (architecture.dense_layers.size() > ModelLimits::max_layers) {
    invalid("/architecture/dense_layers", "too many dense layers", "at most " + std::to_string(ModelLimits::max_layers),
            std::to_string(architecture.dense_layers.size()));
  }
  std::uint64_t weights = std::uint64_t{architecture.vocab_size} * architecture.embed_dim;
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    check_conv_layer(architecture, i);
    const ConvLayer& layer = architecture.conv_layers[i];
    weights += std::uint64_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size * layer.filters;
  }
  std::uint64_t features = architecture.pooled_features();
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    const std::string where = "/architecture/dense_layers/" + std::to_string(i);
    check_range(where + "/units", architecture.dense_layers[i].units, 1, ModelLimits::max_channels);
    check_activation(where + "/activation", architecture.dense_layers[i].activation);
    weights += features * architecture.dense_layers[i].units;
    features = architecture.dense_layers[i].units;
  }
  check_range("/architecture/outputs", architecture.outputs, 1, ModelLimits::max_channels);
  weights += features * architecture.outputs;
  if (weights > ModelLimits::max_weights) {
    throw Error(ErrorCode::limit, "too many weights", "/architecture",
                "at most " + std::to_string(ModelLimits::max_weights), std::to_string(weights));
  }
  if (architecture.pooled_positions(architecture.max_len) < minimum_pooled_positions(architecture.pooling)) {
    invalid("/architecture/max_len", "the longest input leaves some conv layer without a window, or the pooling short");
  }
}

void validate(const Model& model) {
  validate(model.architecture);
  check_all_weights(model);
  check_labels(model.info, model.architecture);
  check_extra("/model_info", model.info.extra,
              {"name", "version", "parameters", "accuracy", "exported", "labels", "threshold", "source", "assumed"});
  check_extra("/", model.extra,
              {"format", "format_version", "model_info", "architecture", "weights", "golden", "frequent_windows"});
  check_frequent_windows(model.frequent_windows, model.architecture);
  for (std::size_t i = 0; i < model.golden.size(); ++i) {
    const std::string where = "/golden/" + std::to_string(i);
    if (model.golden[i].logits.size() != model.architecture.outputs) {
      invalid(where + "/logits", "wrong number of logits", std::to_string(model.architecture.outputs),
              std::to_string(model.golden[i].logits.size()));
    }
    for (const double logit : model.golden[i].logits) {
      if (!std::isfinite(logit)) invalid(where + "/logits", "a logit is not finite");
    }
  }
}

}  // namespace bytecnn
