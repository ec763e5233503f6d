#pragma once
/// Finding the layer in which an export leaves its original.

#include <string>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Runs one input through both, layer by layer in double, and says where they first differ by more than `tolerance`
/// times the layer's largest value: "conv2 differs first: channel 3, position 17 is 0.51 in the original and 0.49 in
/// the export (11 of 24 channels differ)".
[[nodiscard]] std::string first_difference(const Architecture& architecture, OriginalRunner& runner, const Model& model,
                                           const Bytes& input, double tolerance);

}  // namespace bytecnn::exporter
