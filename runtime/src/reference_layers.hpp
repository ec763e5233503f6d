#pragma once
/// The layers of the specification, one by one: simple loops, double precision.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::reference {

/// [channels][positions], row-major.
struct Feature {
  std::size_t channels = 0;
  std::size_t positions = 0;
  std::vector<double> values;

  Feature(std::size_t channel_count, std::size_t position_count)
      : channels(channel_count), positions(position_count), values(channel_count * position_count, 0.0) {}
  double& at(std::size_t c, std::size_t p) { return values[c * positions + p]; }
  [[nodiscard]] double at(std::size_t c, std::size_t p) const { return values[c * positions + p]; }
};

[[nodiscard]] double activate(const Activation& activation, double x);

/// The input cut to max_len and padded to it, where the model pads. Throws `Error` where it is too short for the model.
[[nodiscard]] std::vector<std::uint32_t> tokens_of(const Architecture& architecture, std::span<const std::byte> input);

[[nodiscard]] Feature embed(const Model& model, std::span<const std::uint32_t> tokens);

/// Positions p of the output whose tap reads inside the input: low <= p < high.
struct Range {
  std::size_t low, high;
};
[[nodiscard]] Range inside(const ConvLayer& layer, std::size_t tap, std::size_t input_positions,
                           std::size_t output_positions);

/// The sums of a convolution, before its activation.
[[nodiscard]] Feature convolve(const ConvLayer& layer, const ConvWeights& weights, const Feature& input);
/// What a block makes of its sums: activation, scale and shift, and the block's input where it is residual.
[[nodiscard]] Feature finish_block(const ConvLayer& layer, const ConvWeights& weights, Feature sums,
                                   const Feature& input);

/// Average, maximum and deviation of each channel; sqrt(var + 1e-5) with the unbiased variance.
struct PooledParts {
  std::vector<double> average, maximum, deviation;
};
[[nodiscard]] PooledParts pool_parts(const Feature& input);
/// The features that the head sees.
[[nodiscard]] std::vector<double> pooled_features(Pooling pooling, PooledParts parts);

/// The sums of a dense layer, before its activation.
[[nodiscard]] std::vector<double> dense_sums(const DenseWeights& weights, std::span<const double> input);

/// Logits become scores. Allocates nothing.
void scores_in_place(Output output, std::span<double> values) noexcept;

}  // namespace bytecnn::reference
