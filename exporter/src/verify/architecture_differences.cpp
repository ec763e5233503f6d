#include <charconv>
#include <string>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {
namespace {

std::string shown(double number) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}
std::string shown(std::uint32_t number) {
  return std::to_string(number);
}
std::string shown(bool value) {
  return value ? "true" : "false";
}
std::string shown(std::string_view text) {
  return std::string(text);
}
std::string shown(const std::string& text) {
  return text;
}
std::string shown(const std::optional<std::uint32_t>& token) {
  return token ? std::to_string(*token) : "none";
}
std::string shown(const Activation& activation) {
  return to_string(activation);
}
std::string padding(const ConvLayer& layer) {
  return "[" + std::to_string(layer.pad_left) + ", " + std::to_string(layer.pad_right) + "]";
}

/// An export has no batch norm before the activation left: it is in the weights.
bool normalises_after(const ConvLayer& layer) {
  return layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::after_activation;
}

class Differences {
 public:
  template <class Value>
  void compare(const std::string& key, const Value& original, const Value& model) {
    if (original == model) return;
    found_.push_back(key + ": " + shown(original) + " in the original, " + shown(model) + " in the model");
  }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> architecture_differences(const Architecture& original, const Architecture& model) {
  Differences differences;
  differences.compare("vocab_size", original.vocab_size, model.vocab_size);
  differences.compare("embed_dim", original.embed_dim, model.embed_dim);
  differences.compare("max_len", original.max_len, model.max_len);
  differences.compare("pad_token", original.pad_token, model.pad_token);
  differences.compare("conv layers", static_cast<std::uint32_t>(original.conv_layers.size()),
                      static_cast<std::uint32_t>(model.conv_layers.size()));
  for (std::size_t i = 0; i < std::min(original.conv_layers.size(), model.conv_layers.size()); ++i) {
    const ConvLayer& a = original.conv_layers[i];
    const ConvLayer& b = model.conv_layers[i];
    const std::string layer = "conv" + std::to_string(i + 1) + " ";
    differences.compare(layer + "filters", a.filters, b.filters);
    differences.compare(layer + "kernel_size", a.kernel_size, b.kernel_size);
    differences.compare(layer + "stride", a.stride, b.stride);
    differences.compare(layer + "dilation", a.dilation, b.dilation);
    differences.compare(layer + "groups", a.groups, b.groups);
    differences.compare(layer + "padding", padding(a), padding(b));
    differences.compare(layer + "activation", a.activation, b.activation);
    differences.compare(layer + "residual", a.residual, b.residual);
    differences.compare(layer + "batch norm after the activation", normalises_after(a), normalises_after(b));
    if (normalises_after(a) && normalises_after(b)) {
      differences.compare(layer + "batch norm eps", a.batch_norm->eps, b.batch_norm->eps);
    }
  }
  differences.compare("pooling", to_string(original.pooling), to_string(model.pooling));
  differences.compare("dense layers", static_cast<std::uint32_t>(original.dense_layers.size()),
                      static_cast<std::uint32_t>(model.dense_layers.size()));
  for (std::size_t i = 0; i < std::min(original.dense_layers.size(), model.dense_layers.size()); ++i) {
    const std::string layer = "dense layer " + std::to_string(i + 1) + " ";
    differences.compare(layer + "units", original.dense_layers[i].units, model.dense_layers[i].units);
    differences.compare(layer + "activation", original.dense_layers[i].activation, model.dense_layers[i].activation);
  }
  differences.compare("outputs", original.outputs, model.outputs);
  differences.compare("output", to_string(original.output), to_string(model.output));
  return differences.take();
}

}  // namespace bytecnn::exporter
