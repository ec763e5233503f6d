#pragma once
/// An input as libtorch gets it.

#include <cstddef>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter {

/// Truncates and pads `input` as `architecture` says, [1, positions] of int64.
/// Throws `Error` (invalid) where the input is too short for the model.
[[nodiscard]] at::Tensor token_row(const Architecture& architecture, std::span<const std::byte> input);

/// All elements of a tensor of any floating type, row-major.
[[nodiscard]] std::vector<double> to_doubles(const at::Tensor& tensor);

}  // namespace bytecnn::exporter
