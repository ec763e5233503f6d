#pragma once
/// Trying known mistakes to see which of them explains a difference.

#include <cstddef>
#include <vector>

#include "original.hpp"
#include "verify/cause.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Why `model` is no export of `original`, the mistake with the largest effect first. Mistakes are made on the original
/// until its export has the model's numbers; `probes` measure what each is worth in logits, against `tolerance`.
[[nodiscard]] std::vector<Cause> causes_of_wrong_export(const Original& original, const Model& model,
                                                        const std::vector<Bytes>& probes, double tolerance);

/// Why the recorded numbers are not the original's: one other structure, or two, that gives them.
[[nodiscard]] std::vector<Cause> causes_of_wrong_records(const Original& original, const std::vector<Golden>& records,
                                                         double tolerance);

}  // namespace bytecnn::exporter
