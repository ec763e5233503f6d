#pragma once
/// The weights themselves: a defect too small for any input to show is still a defect.

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Folds the original in double, anew and independently of the exporter, and compares every number with the model's.
/// Differences are relative to the size of the number and of what it was summed from, so that a bias that cancels is
/// not blamed for rounding; numbers below 1e-7 of the largest of their tensor are noise.
[[nodiscard]] StageReport compare_weights(const Original& original, const Model& model);

}  // namespace bytecnn::exporter
