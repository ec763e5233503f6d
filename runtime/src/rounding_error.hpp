#pragma once

#include <cstddef>
#include <vector>

#include "bytecnn/model.hpp"

#include "plan.hpp"

namespace bytecnn {

/// What plans of one model lose by rounding, on a few short inputs without padding whose exact logits are computed
/// once.
class RoundingProbe {
 public:
  /// Any plan of `model` will do.
  RoundingProbe(const Model& model, const Plan& plan);

  /// The largest |logit - reference| / S. A sample: over very many inputs the worst case is five times as large.
  [[nodiscard]] double error(const Plan& plan, RunFunction run) const;

 private:
  std::vector<std::vector<std::byte>> inputs_;
  std::vector<std::vector<double>> logits_;
};

}  // namespace bytecnn
