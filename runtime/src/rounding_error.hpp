#pragma once

#include "bytecnn/model.hpp"

#include "plan.hpp"

namespace bytecnn {

/// What a plan loses by rounding: the largest |logit - reference| / S over a few short inputs without padding, so that
/// it costs a fraction of loading. A sample: over very many inputs the worst case is about three times as large.
[[nodiscard]] double measured_rounding_error(const Model& model, const Plan& plan, RunFunction run);

}  // namespace bytecnn
