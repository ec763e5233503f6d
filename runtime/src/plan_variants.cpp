#include "plan_variants.hpp"

#include <cstddef>
#include <ranges>

namespace bytecnn {
namespace {

/// The plan without padding, pooled in parts.
Plan variant_of(const Plan& plan, bool keep_left, bool keep_right, std::vector<ConvStage>& convs) {
  Plan variant = plan;
  convs.assign(plan.convs, plan.convs + plan.conv_count);
  if (!keep_left) {
    variant.table.pad_left = 0;
    for (ConvStage& conv : convs) conv.pad_left = 0;
    variant.total_pad_left = 0;
  }
  if (!keep_right) {
    variant.table.pad_right = 0;
    for (ConvStage& conv : convs) conv.pad_right = 0;
    variant.padded = false;
    variant.pool.pad_run.present = false;
  }
  variant.convs = convs.data();
  const bool deviations = plan.pool.pooling == Pooling::concat_avg_max_std;
  variant.pool.pooling = deviations ? Pooling::concat_avg_max_std : Pooling::concat_avg_max;
  return variant;
}

}  // namespace

PlanVariants::PlanVariants(const Architecture& architecture, const Plan& plan)
    : stride_(static_cast<std::int64_t>(plan.total_stride)),
      field_(static_cast<std::int64_t>(plan.receptive_field)),
      pad_(static_cast<std::int64_t>(plan.total_pad_left)),
      front_(variant_of(plan, true, false, front_convs_)),
      middle_(variant_of(plan, false, false, middle_convs_)),
      tail_(variant_of(plan, false, true, tail_convs_)) {
  std::uint64_t field = 1;
  std::uint64_t stride = 1;
  for (const ConvLayer& layer : architecture.conv_layers | std::views::reverse) {
    field = (field - 1) * layer.stride + layer.reach() + 1;
    stride *= layer.stride;
    usable_ = usable_ && field >= stride;
  }
}

Plan PlanVariants::tail(std::int64_t column) const noexcept {
  Plan plan = tail_;
  plan.max_len -= static_cast<std::uint32_t>(first_token(column));
  plan.pool.pad_run.last_constant -= column;
  return plan;
}

}  // namespace bytecnn
