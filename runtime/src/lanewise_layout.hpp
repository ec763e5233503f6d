#pragma once
/// Which lane of a convolution takes which input, where lanes of one vector differ in that; see
/// kernels/lanewise_stage.hpp.

#include <array>
#include <cstdint>
#include <vector>

#include "conv_method.hpp"
#include "plan.hpp"

namespace bytecnn {

/// One vector of filters.
struct LanewiseVector {
  static constexpr std::uint32_t most_lanes = 16;
  LaneSource source;                                ///< without its pointers
  std::array<std::int32_t, most_lanes> index = {};  ///< where inputs are permuted
  std::uint32_t second_lane = most_lanes;           ///< the first lane that takes the second input, if any does
};

struct LanewiseLayout {
  std::uint32_t spacing = 1, run_taps = 1;
  std::vector<LanewiseVector> vectors;
  double cycles = 0;  ///< estimated, a column, as `cycles_a_column` does; infinite where the kernels cannot do it
};

/// The layout of `stage`, of which kernel, stride, dilation, groups and input width are set.
[[nodiscard]] LanewiseLayout lay_out_lanewise(const ConvStage& stage, VectorUnit unit);

}  // namespace bytecnn
