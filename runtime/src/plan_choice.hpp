#pragma once
/// The fastest plan that keeps what is promised of its rounding error.

#include <string>

#include "bytecnn/model.hpp"

#include "kernels/kernel_table.hpp"
#include "plan_builder.hpp"

namespace bytecnn {

struct ChosenPlan {
  PlannedModel planned;
  /// Lines that tell what was measured of the rounding error and what it ruled out; empty where nothing was at stake.
  std::string reasons;
};

/// Every convolution that gains by it runs by Winograd's algorithm. Where the plan's error then exceeds the limit, the
/// layer that contributes most goes back by steps to shorter sums, to 2 columns a tile, to a direct convolution.
[[nodiscard]] ChosenPlan choose_plan(const Model& model, const kernels::KernelTable& kernels);

}  // namespace bytecnn
