#include "reference_layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::reference {

double activate(const Activation& activation, double x) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return x > 0 ? x : 0;
    case Activation::Kind::leaky_relu:
      return x > 0 ? x : x * static_cast<double>(activation.slope);
    case Activation::Kind::gelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Activation::Kind::silu:
      return x / (1 + std::exp(-x));
    case Activation::Kind::tanh:
      return std::tanh(x);
    case Activation::Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

std::vector<std::uint32_t> tokens_of(const Architecture& architecture, std::span<const std::byte> input) {
  std::vector<std::uint32_t> tokens;
  for (const std::byte byte : input.first(std::min<std::size_t>(input.size(), architecture.max_len))) {
    tokens.push_back(std::to_integer<std::uint32_t>(byte));
  }
  if (architecture.pad_token) tokens.resize(architecture.max_len, *architecture.pad_token);
  if (architecture.pooled_positions(tokens.size()) < minimum_pooled_positions(architecture.pooling)) {
    throw Error(ErrorCode::invalid, "the input is too short for this model, which does not pad", {}, {},
                std::to_string(tokens.size()) + " bytes");
  }
  return tokens;
}

Feature embed(const Model& model, std::span<const std::uint32_t> tokens) {
  const std::size_t dim = model.architecture.embed_dim;
  Feature embedded(dim, tokens.size());
  for (std::size_t p = 0; p < tokens.size(); ++p) {
    for (std::size_t d = 0; d < dim; ++d) embedded.at(d, p) = model.weights.embedding[tokens[p] * dim + d];
  }
  return embedded;
}

Range inside(const ConvLayer& layer, std::size_t tap, std::size_t input_positions, std::size_t output_positions) {
  const std::size_t offset = tap * layer.dilation;
  const std::size_t low = offset >= layer.pad_left ? 0 : (layer.pad_left - offset + layer.stride - 1) / layer.stride;
  const std::size_t end = input_positions + layer.pad_left;  // padded index after the last real position
  const std::size_t high = end <= offset ? 0 : (end - offset - 1) / layer.stride + 1;
  return {low, std::min(high, output_positions)};
}

namespace {

/// Output positions that are computed side by side, so that the compiler sees vectors: plans wait for this.
constexpr std::size_t side_by_side = 16;
using Sums = std::array<double, side_by_side>;

/// What the windows of `side_by_side` positions from `position` on see of the channels from `channel` on, zeros where
/// that is outside of the input: [channels][kernel_size][side_by_side].
void collect_windows(const ConvLayer& layer, const Feature& input, std::size_t channel, std::size_t position,
                     std::vector<double>& windows) {
  const std::size_t channels = input.channels / layer.groups;
  double* next = windows.data();
  for (std::size_t c = channel; c < channel + channels; ++c) {
    for (std::size_t k = 0; k < layer.kernel_size; ++k) {
      for (std::size_t i = 0; i < side_by_side; ++i) {
        // Left of the input this wraps round, to more than any number of positions.
        const std::size_t place = (position + i) * layer.stride + k * layer.dilation - layer.pad_left;
        *next++ = place < input.positions ? input.at(c, place) : 0.0;
      }
    }
  }
}

/// One filter's sums over `side_by_side` positions: bias + weights[t] * windows[t][.], in the order of t. Every
/// position is summed by itself and nothing is fused, so the width of the vectors changes no bit.
[[gnu::always_inline]] inline Sums sum_windows(float bias, const float* weights, std::span<const double> windows) {
  Sums sums;
  sums.fill(static_cast<double>(bias));
  for (std::size_t t = 0; t < windows.size() / side_by_side; ++t) {
    const double w = weights[t];
    for (std::size_t i = 0; i < side_by_side; ++i) sums[i] += w * windows[t * side_by_side + i];
  }
  return sums;
}

using SumWindows = Sums (*)(float bias, const float* weights, std::span<const double> windows);

#ifdef __x86_64__
[[gnu::target("avx")]] Sums sum_windows_avx(float bias, const float* weights, std::span<const double> windows) {
  return sum_windows(bias, weights, windows);
}
#endif

Sums sum_windows_anywhere(float bias, const float* weights, std::span<const double> windows) {
  return sum_windows(bias, weights, windows);
}

SumWindows widest_sum_windows() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx")) return sum_windows_avx;
#endif
  return sum_windows_anywhere;
}

}  // namespace

Feature convolve(const ConvLayer& layer, const ConvWeights& weights, const Feature& input) {
  Feature output(layer.filters, static_cast<std::size_t>(layer.output_length(input.positions)));
  const std::size_t group_inputs = input.channels / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  const std::size_t taps = group_inputs * layer.kernel_size;
  const SumWindows sums_of = widest_sum_windows();
  std::vector<double> windows(taps * side_by_side);
  for (std::size_t group = 0; group < layer.groups; ++group) {
    for (std::size_t p = 0; p < output.positions; p += side_by_side) {
      collect_windows(layer, input, group * group_inputs, p, windows);
      for (std::size_t f = group * group_filters; f < (group + 1) * group_filters; ++f) {
        const Sums sums = sums_of(weights.bias[f], weights.weight.data() + f * taps, windows);
        std::copy_n(sums.data(), std::min(side_by_side, output.positions - p), &output.at(f, p));
      }
    }
  }
  return output;
}

Feature finish_block(const ConvLayer& layer, const ConvWeights& weights, Feature sums, const Feature& input) {
  for (std::size_t f = 0; f < sums.channels; ++f) {
    for (std::size_t p = 0; p < sums.positions; ++p) {
      double& x = sums.at(f, p);
      x = activate(layer.activation, x);
      if (!weights.scale.empty()) {
        x = x * static_cast<double>(weights.scale[f]) + static_cast<double>(weights.shift[f]);
      }
      if (layer.residual) x += input.at(f, p);
    }
  }
  return sums;
}

PooledParts pool_parts(const Feature& input) {
  PooledParts parts{std::vector<double>(input.channels), std::vector<double>(input.channels),
                    std::vector<double>(input.channels)};
  const auto positions = static_cast<double>(input.positions);
  for (std::size_t c = 0; c < input.channels; ++c) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t p = 0; p < input.positions; ++p) {
      sum += input.at(c, p);
      largest = std::max(largest, input.at(c, p));
    }
    parts.average[c] = sum / positions;
    parts.maximum[c] = largest;
    double squares = 0;
    for (std::size_t p = 0; p < input.positions; ++p) squares += std::pow(input.at(c, p) - parts.average[c], 2);
    parts.deviation[c] = std::sqrt(squares / (positions - 1) + 1e-5);
  }
  return parts;
}

std::vector<double> pooled_features(Pooling pooling, PooledParts parts) {
  std::vector<double>& features = parts.average;
  switch (pooling) {
    case Pooling::max:
      return std::move(parts.maximum);
    case Pooling::avg:
      break;
    case Pooling::avg_max:
      for (std::size_t c = 0; c < features.size(); ++c) features[c] = (features[c] + parts.maximum[c]) / 2;
      break;
    case Pooling::concat_avg_max_std:
    case Pooling::concat_avg_max:
      features.insert(features.end(), parts.maximum.begin(), parts.maximum.end());
      if (pooling == Pooling::concat_avg_max_std) {
        features.insert(features.end(), parts.deviation.begin(), parts.deviation.end());
      }
      break;
  }
  return std::move(features);
}

std::vector<double> dense_sums(const DenseWeights& weights, std::span<const double> input) {
  std::vector<double> sums(weights.bias.begin(), weights.bias.end());
  for (std::size_t u = 0; u < sums.size(); ++u) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      sums[u] += static_cast<double>(weights.weight[u * input.size() + i]) * input[i];
    }
  }
  return sums;
}

void scores_in_place(Output output, std::span<double> values) noexcept {
  if (output == Output::sigmoid) {
    for (double& value : values) value = 1 / (1 + std::exp(-value));
  } else if (output == Output::softmax) {
    const double largest = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (double& value : values) sum += value = std::exp(value - largest);
    for (double& value : values) value /= sum;
  }
}

}  // namespace bytecnn::reference
