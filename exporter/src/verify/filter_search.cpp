#include "verify/filter_search.hpp"

#include <algorithm>
#include <vector>

namespace bytecnn::exporter {
namespace {

constexpr std::size_t rounds = 3;

/// Positions that each layer up to `layer` gives so that the last gives one; the first entry is the bytes of the
/// window.
std::vector<std::size_t> window_positions(const Architecture& architecture, std::size_t layer) {
  std::vector<std::size_t> positions{1};
  for (std::size_t i = layer + 1; i-- > 0;) {
    const ConvLayer& conv = architecture.conv_layers[i];
    positions.insert(positions.begin(), (positions.front() - 1) * conv.stride + conv.reach() + 1);
  }
  return positions;
}

/// One window of bytes through the network up to one filter, without any border: values are [position][channel].
class WindowNetwork {
 public:
  WindowNetwork(const Model& model, std::size_t layer, std::size_t filter)
      : model_(model), layer_(layer), filter_(filter), positions_(window_positions(model.architecture, layer)) {}

  [[nodiscard]] std::size_t bytes() const { return positions_.front(); }

  /// The filter's value before its activation.
  [[nodiscard]] double value(const Bytes& window) {
    const std::size_t width = model_.architecture.embed_dim;
    values_.assign(window.size() * width, 0);
    for (std::size_t p = 0; p < window.size(); ++p) {
      const float* row = &model_.weights.embedding[std::to_integer<std::size_t>(window[p]) * width];
      std::copy(row, row + width, values_.begin() + static_cast<std::ptrdiff_t>(p * width));
    }
    for (std::size_t i = 0; i < layer_; ++i) {
      const ConvLayer& conv = model_.architecture.conv_layers[i];
      next_.resize(positions_[i + 1] * conv.filters);
      for (std::size_t p = 0; p < positions_[i + 1]; ++p) {
        for (std::size_t f = 0; f < conv.filters; ++f) next_[p * conv.filters + f] = block(i, p, f);
      }
      values_.swap(next_);
    }
    return sum(layer_, 0, filter_);
  }

 private:
  [[nodiscard]] double sum(std::size_t layer, std::size_t position, std::size_t filter) const {
    const ConvLayer& conv = model_.architecture.conv_layers[layer];
    const ConvWeights& weights = model_.weights.conv[layer];
    const std::size_t channels = model_.architecture.in_channels(layer);
    const std::size_t group = channels / conv.groups;
    const std::size_t first = filter / (conv.filters / conv.groups) * group;
    double total = static_cast<double>(weights.bias[filter]);
    for (std::size_t tap = 0; tap < conv.kernel_size; ++tap) {
      const double* column = &values_[(position * conv.stride + tap * conv.dilation) * channels + first];
      const float* weight = &weights.weight[filter * group * conv.kernel_size + tap];
      for (std::size_t c = 0; c < group; ++c) total += static_cast<double>(weight[c * conv.kernel_size]) * column[c];
    }
    return total;
  }

  [[nodiscard]] double block(std::size_t layer, std::size_t position, std::size_t filter) const {
    const ConvLayer& conv = model_.architecture.conv_layers[layer];
    const ConvWeights& weights = model_.weights.conv[layer];
    double value = rough_activation(conv.activation, sum(layer, position, filter));
    if (!weights.scale.empty()) {
      value = value * static_cast<double>(weights.scale[filter]) + static_cast<double>(weights.shift[filter]);
    }
    if (conv.residual) value += values_[(position + conv.pad_left) * conv.filters + filter];
    return value;
  }

  /// A search needs the direction, not the value: the smooth activations are near enough to their hard forms.
  [[nodiscard]] static double rough_activation(const Activation& activation, double x) {
    using Kind = Activation::Kind;
    switch (activation.kind) {
      case Kind::none:
        return x;
      case Kind::leaky_relu:
        return x > 0 ? x : x * static_cast<double>(activation.slope);
      case Kind::tanh:
        return std::clamp(x, -1.0, 1.0);
      case Kind::sigmoid:
        return std::clamp(0.5 + x / 4, 0.0, 1.0);
      default:
        return std::max(x, 0.0);
    }
  }

  const Model& model_;
  std::size_t layer_, filter_;
  std::vector<std::size_t> positions_;
  std::vector<double> values_, next_;
};

}  // namespace

Bytes filter_extreme(const Model& model, std::size_t filter, bool highest, std::size_t length) {
  const Architecture& architecture = model.architecture;
  const ConvLayer& layer = architecture.conv_layers.front();
  const std::size_t group_inputs = architecture.embed_dim / layer.groups;
  const std::size_t first_channel = filter / (layer.filters / layer.groups) * group_inputs;
  std::vector<std::byte> best(layer.kernel_size);
  for (std::size_t tap = 0; tap < layer.kernel_size; ++tap) {
    double extreme = 0;
    for (std::size_t byte = 0; byte < std::min<std::size_t>(256, architecture.vocab_size); ++byte) {
      double sum = 0;
      for (std::size_t c = 0; c < group_inputs; ++c) {
        sum += static_cast<double>(
                   model.weights.conv.front().weight[(filter * group_inputs + c) * layer.kernel_size + tap]) *
               static_cast<double>(model.weights.embedding[byte * architecture.embed_dim + first_channel + c]);
      }
      if (byte == 0 || (highest ? sum > extreme : sum < extreme)) {
        extreme = sum;
        best[tap] = static_cast<std::byte>(byte);
      }
    }
  }
  // Windows side by side; with dilation, `dilation` of them interleaved.
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = best[i / layer.dilation % layer.kernel_size];
  return bytes;
}

Bytes deep_filter_extreme(const Model& model, std::size_t layer, std::size_t filter, bool highest, std::size_t length) {
  WindowNetwork network(model, layer, filter);
  Bytes window(network.bytes());
  for (std::size_t i = 0; i < window.size(); ++i)
    window[i] = static_cast<std::byte>((filter * 31 + i * 89 + 7) & 0xFFU);
  const double sign = highest ? 1 : -1;
  double best = sign * network.value(window);
  bool improved = true;
  for (std::size_t round = 0; round < rounds && improved; ++round) {
    improved = false;
    for (std::byte& place : window) {
      std::byte kept = place;
      for (unsigned byte = 0; byte < 256; ++byte) {
        place = static_cast<std::byte>(byte);
        const double value = sign * network.value(window);
        if (value > best) {
          best = value;
          kept = place;
          improved = true;
        }
      }
      place = kept;
    }
  }
  Bytes bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = window[i % window.size()];
  return bytes;
}

std::uint64_t deep_filter_work(const Architecture& architecture, std::size_t layer) {
  const std::vector<std::size_t> positions = window_positions(architecture, layer);
  std::uint64_t work = 0;
  for (std::size_t i = 0; i <= layer; ++i) {
    const ConvLayer& conv = architecture.conv_layers[i];
    const std::uint64_t filters = i == layer ? 1 : conv.filters;
    work += positions[i + 1] * filters * conv.kernel_size * (architecture.in_channels(i) / conv.groups);
  }
  return work * 256 * positions.front() * rounds;
}

}  // namespace bytecnn::exporter
