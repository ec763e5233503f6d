#pragma once
/// A contender that computes something else has no time worth knowing.

#include <memory>
#include <span>
#include <vector>

#include "bytecnn/model.hpp"

#include "contender.hpp"

namespace bytecnn::bench {

/// Largest difference allowed, times S = max(1, largest |logit|).
inline constexpr double agreement_tolerance = 1e-4;

/// Compares every contender's logits on all texts with the first contender's (of a slow contender on as many as a tenth
/// of a second allows, eight at least), the first one's on a few of them with the double-precision reference, and
/// everybody's mean score over a few. Returns the worst difference found, in units of
/// S. Throws `Error` (invalid) that names who differs, where, and by how much, where it exceeds the tolerance.
double check_agreement(const Model& model, std::span<const std::unique_ptr<Contender>> contenders,
                       std::span<const Text> texts);

}  // namespace bytecnn::bench
