#pragma once
/// Which of the ways to compute a convolution is the cheapest.

#include <cstdint>

#include "plan.hpp"

namespace bytecnn {

/// What a method's cost depends on besides the layer.
struct VectorUnit {
  std::uint32_t lanes = 0;
  std::uint32_t registers = 0;
};

/// Estimated cycles a column of `stage`, of which the layer's shape and input width are set, by `method`; for
/// Winograd's algorithm with the transform `stage.winograd`. A model of the kernels' bounds: good enough to rank the
/// methods.
[[nodiscard]] double cycles_a_column(const ConvStage& stage, VectorUnit unit, ConvStage::Method method);

/// How far Winograd's algorithm may go. More columns a tile and longer chains of sums are faster and round more.
struct WinogradLimit {
  std::uint32_t outputs = 4;         ///< columns a tile: 4, 2, or 0 where it may not be used at all
  std::uint32_t longest_chain = 32;  ///< products that are added one after the other

  /// The next stricter limit.
  [[nodiscard]] WinogradLimit stricter() const noexcept;
};

/// Sets `stage.method`, and `stage.winograd` where that is the method, within `limit`.
void choose_method(ConvStage& stage, VectorUnit unit, WinogradLimit limit);

}  // namespace bytecnn
