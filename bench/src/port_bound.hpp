#pragma once
/// What a classification costs at least on this machine: the operations its method cannot do without, over the rates
/// that the machine was measured to reach.
///
/// Operations are counted in whole vectors' worth (a network of 40 filters costs 2.5 vectors of 16), so rounding up to
/// vectors counts as a loss. Per position that the text can reach (text and receptive field, not the padding beyond):
///   first layer by tables   kernel_size * filters / lanes aligned loads and as many additions (kernel_size - 1 sums of
///                           taps, one for the average), and in one-layer models two maxima (relu, pooling):
///                           max(loads / load rate, adds / add rate, (adds + maxima) / mixed rate)
///   every further layer     kernel_size * inputs / groups * filters / lanes FMAs / FMA rate
/// and once a text           inputs * units / lanes FMAs of every dense layer / FMA rate.
/// Embedding, activations of deeper layers, their pooling and the call itself are not counted. A convolution that needs
/// fewer multiplications than the direct one (Winograd, tables) can beat the bound of a deeper layer.

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "bytecnn/model.hpp"

#include "measurement.hpp"

namespace bytecnn::bench {

/// Nanoseconds a text of `length` bytes, for this engine's method.
[[nodiscard]] double engine_bound(const Architecture& architecture, std::size_t length, const Peaks& peaks);

/// Nanoseconds a text, for direct convolution over every position of the padded input.
[[nodiscard]] double direct_bound(const Architecture& architecture, std::size_t length, const Peaks& peaks);

/// The bound of a contender by its name; none where its method is not known (libtorch). `peaks` holds the machine's
/// instruction sets, widest first.
[[nodiscard]] std::optional<double> bound_of(std::string_view contender, const Architecture& architecture,
                                             std::size_t length, std::span<const Peaks> peaks);

}  // namespace bytecnn::bench
