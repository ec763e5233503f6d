#pragma once
/// Choosing the inputs that a report keeps.

#include <optional>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// The inputs that decided the numbers of `report`, each once with every reason: those on which the stages differ most,
/// flipped labels, inputs that one side alone refuses, the smallest margin and the largest error of float32.
/// `logits` are the original's, one an input; none where it refuses.
[[nodiscard]] std::vector<RecordedCase> recorded_cases(const VerifyReport& report,
                                                       const std::vector<NamedInput>& inputs,
                                                       const std::vector<std::optional<std::vector<double>>>& logits);

}  // namespace bytecnn::exporter
