#pragma once
/// Models as they were trained, with random weights: what an export is made from.

#include <cstdint>
#include <string>

#include "original.hpp"

namespace bytecnn::exporter::testing {

/// Weights of a sensible size for an architecture; batch norm with statistics far from 0 and 1.
[[nodiscard]] Original with_random_weights(const Architecture& architecture, std::uint32_t seed);

/// An architecture over everything that the runtime supports, small enough for hundreds of runs.
[[nodiscard]] Original random_original(std::uint32_t seed);

/// embedding 256 x 6, conv1 8 x k3 and conv2 10 x k4 with batch norm and relu, avg_max, dense 7, one output,
/// max_len 40.
[[nodiscard]] Original two_layer_original(std::uint32_t seed);

[[nodiscard]] std::string describe(const Architecture& architecture);

}  // namespace bytecnn::exporter::testing
