#pragma once
/// Batch norm at inference is one multiplication and one addition a channel:
/// y = (x - mean) / sqrt(variance + eps) * gamma + beta = x * scale + shift.
/// Source: Ioffe and Szegedy, "Batch Normalization", 2015, algorithm 2; `torch.nn.BatchNorm1d` in eval mode.
/// These functions allocate and may be called from many threads at once, on different vectors.

#include <vector>

#include "bytecnn/api.h"

namespace bytecnn BYTECNN_API {

/// All vectors of one length, one number a channel. Without affine: gamma all ones, beta all zeros.
struct BatchNormStatistics {
  std::vector<double> gamma, beta, mean, variance;
  double eps = 1e-5;
};

struct ScaleShift {
  std::vector<double> scale, shift;
};

/// scale = gamma / sqrt(variance + eps), shift = beta - mean * scale, in double.
/// Throws `Error` (invalid), place "channel N", where a variance is negative, eps is negative, or a result is not
/// finite.
[[nodiscard]] ScaleShift scale_and_shift(const BatchNormStatistics& statistics);

/// Folds a batch norm that stands between a convolution and its activation into the convolution, in double:
/// W'[f] = W[f] scale[f], b'[f] = b[f] scale[f] + shift[f]. `weight` is [filters][...]; an empty `bias` counts as
/// zeros. Sizes must fit: it does not check them, and throws nothing but `std::bad_alloc`.
void fold_batch_norm(const ScaleShift& batch_norm, std::vector<double>& weight, std::vector<double>& bias);

}  // namespace BYTECNN_API
