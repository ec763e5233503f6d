#include "verify/bound/probable_error.hpp"

#include <algorithm>
#include <cmath>

namespace bytecnn::exporter {
namespace {

/// What a layer's inputs, each anywhere in the window, can move a logit by, from what its outputs can.
std::vector<double> backward(const ConvLayer& layer, const ExactTensor& weights, const std::vector<double>& gain,
                             const std::vector<double>& by_output, std::size_t inputs) {
  std::vector<double> by_input(inputs, 0.0);
  const std::size_t group_inputs = inputs / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const double taken = by_output[f] * gain[f];
    for (std::size_t c = 0; c < group_inputs; ++c) {
      double taps = 0;
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        taps += std::abs(weights.value[(f * group_inputs + c) * layer.kernel_size + k]);
      }
      by_input[f / group_filters * group_inputs + c] += taken * taps;
    }
    if (layer.residual) by_input[f] += by_output[f];
  }
  return by_input;
}

/// By channels of the last convolution, from the derivatives by pooled features: weights of positions sum to 1, in the
/// deviation at most to sqrt(n / (n - 1)).
std::vector<double> unpooled(const Architecture& architecture, const std::vector<double>& by_feature) {
  const std::size_t channels = architecture.conv_layers.back().filters;
  std::vector<double> by_channel(channels, 0.0);
  for (std::size_t i = 0; i < by_feature.size(); ++i) {
    by_channel[i % channels] += by_feature[i] * (i / channels == 2 ? std::sqrt(2.0) : 1.0);
  }
  return by_channel;
}

}  // namespace

std::vector<double> probable_errors(const Architecture& architecture, const std::vector<OwnErrors>& own,
                                    const std::vector<ExactTensor>& weights, const HeadErrors& head, std::size_t way,
                                    const std::vector<double>& input_error, double u, double chance) {
  const std::size_t outputs = head.by_feature.size();
  // Azuma's inequality, for each of the logits: P(|sum| >= a sqrt(sum of squares)) <= 2 exp(-a^2 / 2).
  const double factor = std::sqrt(2 * std::log(2 * static_cast<double>(outputs) / chance));
  std::vector<double> errors;
  for (std::size_t o = 0; o < outputs; ++o) {
    double known = head.own[way][o].known;
    double squares = head.own[way][o].squares;
    std::vector<double> gradient = unpooled(architecture, head.by_feature[o]);
    for (std::size_t layer = architecture.conv_layers.size(); layer-- > 0;) {
      const auto& channels = own[layer].channels;
      std::vector<double> shared(channels.front().shared.size(), 0.0);
      for (std::size_t f = 0; f < channels.size(); ++f) {
        known += gradient[f] * channels[f].known;
        squares += gradient[f] * gradient[f] * channels[f].squares;
        for (std::size_t e = 0; e < shared.size(); ++e) shared[e] += gradient[f] * channels[f].shared[e];
      }
      for (const double size : shared) squares += size * size;
      gradient = backward(architecture.conv_layers[layer], weights[layer], own[layer].gain, gradient,
                          architecture.in_channels(layer));
    }
    for (std::size_t d = 0; d < input_error.size(); ++d) known += gradient[d] * input_error[d];
    // This sum's own roundings are far below a millionth.
    errors.push_back((known + factor * u * std::sqrt(squares)) * (1 + 1e-6));
  }
  return errors;
}

}  // namespace bytecnn::exporter
