#pragma once
/// The original's layers as the export sees them: batch norm folded, but exactly. Numbers are double, with a bound on
/// what this folding itself rounds.

#include <cstddef>
#include <vector>

#include "bytecnn/model.hpp"

#include "original.hpp"

namespace bytecnn::exporter {

/// A tensor of the exact original: |exact - value[i]| <= uncertainty[i].
struct ExactTensor {
  std::vector<double> value;
  std::vector<double> uncertainty;
};

struct ExactConv {
  ExactTensor weight;  ///< [filters][in_channels / groups][kernel_size]
  ExactTensor bias;    ///< [filters]
  ExactTensor scale;   ///< [filters], empty without batch norm after the activation
  ExactTensor shift;
};

[[nodiscard]] ExactConv exact_conv(const OriginalConv& conv, const ConvLayer& layer);

/// A bias that is missing is zero.
[[nodiscard]] ExactTensor exact_bias(const std::vector<double>& bias, std::size_t size);

/// |exact - exported| of every number.
[[nodiscard]] std::vector<double> deviations(const ExactTensor& exact, const std::vector<float>& exported);

}  // namespace bytecnn::exporter
