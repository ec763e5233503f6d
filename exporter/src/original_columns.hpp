#pragma once
/// The parts of an unfolded model in plain double loops, one by one, so that a search can share the beginning of two
/// structures that differ only later. Batch norm stands where it stood in training; nothing is folded or rounded.
/// Everything here is safe from several threads at once and allocates its result.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "original.hpp"

namespace bytecnn::exporter {

/// [channels][positions], row-major.
struct Columns {
  std::size_t channels = 0;
  std::size_t positions = 0;
  std::vector<double> values;

  [[nodiscard]] std::span<const double> row(std::size_t channel) const {
    return std::span(values).subspan(channel * positions, positions);
  }
};

/// Embeds `input` as `architecture` (max_len, pad_token) cuts and pads it.
[[nodiscard]] Columns embed(const Original& original, const Architecture& architecture,
                            std::span<const std::byte> input);

/// conv1d with the geometry of `layer` and the weights of `conv`: no norm, no activation. The input must be long enough
/// for one window.
[[nodiscard]] Columns convolve(const ConvLayer& layer, const OriginalConv& conv, const Columns& input);

/// (x - mean) / sqrt(variance + eps) * gamma + beta, a channel.
void normalise(const OriginalBatchNorm& norm, double eps, Columns& columns);
void activate(const Activation& activation, std::span<double> values);
/// Adds the block's input; both must have the same shape.
void add_residual(const Columns& input, Columns& columns);

/// A whole conv block.
[[nodiscard]] Columns conv_block(const ConvLayer& layer, const OriginalConv& conv, const Columns& input);

/// Average, maximum and sqrt(unbiased variance + 1e-5) of every channel: what every pooling is put together from.
struct PooledStatistics {
  std::vector<double> average, maximum, deviation;
};
/// The deviation is filled only where there are two positions or more.
[[nodiscard]] PooledStatistics pooled_statistics(const Columns& columns);
[[nodiscard]] std::vector<double> pooled_features(Pooling pooling, const PooledStatistics& statistics);

/// weight x + bias, without activation.
[[nodiscard]] std::vector<double> dense_sums(const OriginalDense& dense, std::span<const double> input);

/// Whether `input` leaves the pooling enough positions.
[[nodiscard]] bool long_enough(const Architecture& architecture, std::size_t input_bytes);

/// The logits of `original`'s weights in the structure `architecture`. The input must be `long_enough`.
[[nodiscard]] std::vector<double> original_logits(const Original& original, const Architecture& architecture,
                                                  std::span<const std::byte> input);

}  // namespace bytecnn::exporter
