#pragma once
/// What label scores stand for, and how far they are from standing for another one.

#include <span>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter {

/// The decisions of a model: which labels hold. Equal vectors are equal decisions.
[[nodiscard]] std::vector<bool> decide(const Architecture& architecture, const ModelInfo& info,
                                       std::span<const double> scores);

/// The smallest change of a score that would change the decision: distance to the threshold, and for softmax half the
/// lead of the best.
[[nodiscard]] double margin(const Architecture& architecture, const ModelInfo& info, std::span<const double> scores);

}  // namespace bytecnn::exporter
