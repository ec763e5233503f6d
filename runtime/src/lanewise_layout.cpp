#include "lanewise_layout.hpp"

#include <algorithm>
#include <limits>

namespace bytecnn {
namespace {

/// Columns that far apart are still computed together; with more, short texts have too few of them for whole blocks.
constexpr std::uint32_t most_spacing = 4;

/// False where a vector would need more inputs a step than the kernels load.
bool lay_out_vector(const ConvStage& stage, std::uint32_t first_filter, std::uint32_t lanes, LanewiseVector& vector) {
  const std::uint32_t filters = stage.groups * stage.group_filters;
  const std::uint32_t inputs = stage.group_inputs;
  const std::uint32_t first = first_filter / stage.group_filters;
  const std::uint32_t last = (std::min(first_filter + lanes, filters) - 1) / stage.group_filters;
  std::uint32_t last_loaded = last;
  if ((last - first) * inputs >= lanes) --last_loaded;
  if ((last_loaded - first) * inputs >= lanes) return false;

  LaneSource& source = vector.source;
  source.first = first * inputs;
  if (inputs == 1 && stage.group_filters == 1) return true;
  if (first == last) {
    source.inputs = LaneInputs::broadcast;
    return true;
  }
  source.inputs = LaneInputs::permuted;
  if (last_loaded < last) {
    source.inputs = LaneInputs::permuted_and_one;
    source.second = last * inputs;
    vector.second_lane = last * stage.group_filters - first_filter;
  }
  // All steps from one aligned load where it holds the channels of all of them, or else from loads that move on.
  const std::uint32_t aligned = source.first / lanes * lanes;
  const bool one_load = (last_loaded + 1) * inputs - aligned <= lanes;
  if (one_load) source.first = aligned;
  source.turn = one_load ? 1 : 0;
  source.advance = one_load ? 0 : 1;
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    const std::uint32_t group = std::min((first_filter + lane) / stage.group_filters, last_loaded);
    vector.index[lane] = static_cast<std::int32_t>(group * inputs - source.first);
  }
  return true;
}

double cycles_a_column(const LanewiseLayout& layout, const ConvStage& stage, VectorUnit unit) {
  const double columns = lanewise_block_columns(unit.registers);
  const bool fma = unit.registers == 32 || unit.lanes > 4;
  const double products = static_cast<double>(stage.kernel_size) * (fma ? 1 : 2);
  const double runs = stage.kernel_size / layout.run_taps + stage.kernel_size % layout.run_taps;
  const double inputs = runs + (stage.kernel_size - runs) / columns;  // loaded, a column and step
  double cycles = 0;
  for (const LanewiseVector& vector : layout.vectors) {
    const bool second = vector.source.inputs == LaneInputs::permuted_and_one;
    const bool permuted = second || vector.source.inputs == LaneInputs::permuted;
    const double loads = (vector.source.advance == 0 ? 1 : 2) + (second ? 1 : 0);
    // Half of what is permuted or blended takes a multiplier's turn.
    const double permutations = (permuted ? 0.5 : 0) + (second ? 0.5 : 0);
    cycles += 2.5 + stage.group_inputs * std::max((products + permutations * inputs) / 2,
                                                  (loads * inputs + stage.kernel_size / columns) / 2);
  }
  return cycles;
}

}  // namespace

LanewiseLayout lay_out_lanewise(const ConvStage& stage, VectorUnit unit) {
  LanewiseLayout layout;
  layout.cycles = std::numeric_limits<double>::infinity();
  const bool depthwise = stage.group_inputs == 1 && stage.group_filters == 1;
  if (unit.lanes < 8 && !depthwise) return layout;  // where the kernels have no permutations
  if (stage.dilation % stage.stride == 0 && stage.dilation / stage.stride <= most_spacing) {
    layout.spacing = stage.dilation / stage.stride;
    layout.run_taps = most_run_taps;
  }
  // Blocks read whole, also for fewer columns: a window behind columns that are skipped might leave the input buffer.
  if (stage.stride > stage.reach() + 1) return layout;
  // Without runs a single group is better off with several vectors an input (kernels/products.hpp).
  if (stage.groups == 1 && (layout.run_taps == 1 || stage.kernel_size < most_run_taps)) return layout;
  const std::uint32_t filters = stage.groups * stage.group_filters;
  layout.vectors.resize((filters + unit.lanes - 1) / unit.lanes);
  std::uint32_t filter = 0;
  for (LanewiseVector& vector : layout.vectors) {
    if (!lay_out_vector(stage, filter, unit.lanes, vector)) return layout;
    filter += unit.lanes;
  }
  layout.cycles = cycles_a_column(layout, stage, unit);
  return layout;
}

}  // namespace bytecnn
