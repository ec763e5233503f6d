#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn {

/// What reaches the pooling for these very tokens (nothing is cut or padded): [filters][positions], in double.
[[nodiscard]] std::vector<double> reference_columns(const Model& model, std::span<const std::uint32_t> tokens);

}  // namespace bytecnn
