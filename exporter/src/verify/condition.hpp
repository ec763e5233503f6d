#pragma once
/// Condition numbers: how much of its terms' size a network's sums lose to cancellation; exporter/numerics.md defines
/// them.

#include <cstddef>
#include <string>

namespace bytecnn::exporter {

/// Where sums cancel most.
struct Cancellation {
  double ratio = 1;   ///< sum of |terms| over the layer's largest |value|
  std::string layer;  ///< "conv2 batch norm", "dense1", ...
  std::size_t channel = 0;
  std::size_t position = 0;
  std::size_t input = 0;  ///< index into VerifyReport::input_names
};

/// Of one network over the inputs that were looked at.
struct ConditionNumber {
  /// Running-error bound of the logits, in units of u S: rounding every sum once, by u times the sum of its terms'
  /// sizes, moves a logit by at most value * u * S to first order.
  double value = 0;
  std::size_t input = 0;   ///< where it is largest
  std::size_t output = 0;  ///< which logit
  Cancellation worst;
};

/// The original as trained, batch norm unfolded, beside the export: what only the first has is no fault of the export.
struct Conditioning {
  ConditionNumber original;
  ConditionNumber exported;
  std::size_t inputs = 0;  ///< looked at
};

}  // namespace bytecnn::exporter
