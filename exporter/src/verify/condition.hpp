#pragma once
/// Condition numbers: how much of its terms' size a network's sums lose to cancellation; exporter/numerics.md defines
/// them.

#include <cstddef>
#include <string>
#include <vector>

#include "original.hpp"

namespace bytecnn::exporter {

/// Where sums cancel most.
struct Cancellation {
  double ratio = 1;   ///< largest sum of |terms| over the layer's largest |value|, over all inputs that were looked at
  std::string layer;  ///< "conv2", "conv2 batch norm", "dense1", "output"
  std::size_t channel = 0;
  std::size_t position = 0;
  std::size_t input = 0;  ///< index into the inputs that were given
};

/// Of one network over the inputs that were looked at.
struct ConditionNumber {
  /// Running-error bound of the logits, in units of u S: rounding every sum once, by u times the sum of its terms'
  /// sizes, moves a logit by at most value * u * S to first order.
  double value = 0;
  std::size_t input = 0;   ///< where it is largest
  std::size_t output = 0;  ///< which logit
  Cancellation worst;

  /// One rounding in float32 of one sum can lose more of its layer than the engine is allowed on a logit.
  [[nodiscard]] bool too_hard_for_float32() const noexcept;
};

/// The original as trained, batch norm unfolded, beside the export: what only the first has is no fault of the export.
struct Conditioning {
  ConditionNumber original;
  ConditionNumber exported;
  std::size_t inputs = 0;  ///< looked at
};

/// Condition of `network`, batch norm not folded, over `inputs`, which it must not refuse. `scale` is S.
[[nodiscard]] ConditionNumber condition_number(const Original& network,
                                               const std::vector<std::vector<std::byte>>& inputs, double scale);

/// An export as it computes: nothing to fold; scale and shift stay where they are.
[[nodiscard]] Original as_computed(const Model& model);

}  // namespace bytecnn::exporter
