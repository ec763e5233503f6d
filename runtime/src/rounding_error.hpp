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

  /// Estimate, in units of S, of the plan's largest error over very many inputs: a multiple of the sample's root mean
  /// square. A single logit may be near 0 however large the sums are that cancel to it, so its S counts as 1; of
  /// several logits the smallest S of the sample counts.
  [[nodiscard]] double expected_error(const Plan& plan, RunFunction run) const;

 private:
  std::vector<std::vector<std::byte>> inputs_;
  std::vector<std::vector<double>> logits_;
};

}  // namespace bytecnn
