#pragma once
/// Running a model on inputs whose logits the original gave, one instruction set at a time.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/arithmetic.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model.hpp"

namespace bytecnn::cli {

/// One instruction set over all recorded inputs.
struct RecordedRun {
  Isa isa = Isa::reference;
  double worst = 0;  ///< largest |difference| of a logit
  double mean = 0;
  double arithmetic_error_bound = 0;  ///< on a logit: what fixed point can cost; float32: 0
  std::size_t worst_input = 0;        ///< index into the recorded inputs
  std::string failure;  ///< why an input was not classified at all, or was although the original refuses it
  [[nodiscard]] bool passed(double tolerance) const { return failure.empty() && worst <= tolerance; }
};

/// S = max(1, largest |logit|): what errors are measured against.
[[nodiscard]] double logit_scale(std::span<const Golden> recorded);

/// Runs all of `recorded` on `isa`, which this machine must support. An input without logits is one that the original
/// refuses as too short; so must the model. Throws `Error` where the model cannot be planned, or not for `arithmetic`.
[[nodiscard]] RecordedRun run_recorded(const Model& model, Isa isa, std::span<const Golden> recorded,
                                       Arithmetic arithmetic = Arithmetic::float32);

}  // namespace bytecnn::cli
