#pragma once
/// Two layers in one: columns of the first come out of its table and go straight into the transform of the second,
/// which is pooled tile by tile. Nothing of either layer is stored but a block's transformed columns and products.
///
/// Tokens are staged, 16 bits each. What lies outside both the input and its zero padding is a token whose rows are
/// minus infinity: after relu a column that sees it is zero, as the second layer's own padding wants it.

#include <cstddef>
#include <cstdint>

#include "kernels/pool_stage.hpp"
#include "kernels/simd.hpp"
#include "kernels/staged_tokens.hpp"
#include "kernels/table_stage.hpp"
#include "kernels/winograd_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Columns of a table of kernel size 3, a vector of filters each, for windows that move by one token.
template <class Arch>
class TableColumns {
 public:
  BYTECNN_INLINE TableColumns(const TableStage& table, const std::uint16_t* tokens, std::size_t filter)
      : rows_(table.rows + filter), row_floats_(table.row_floats), width_(table.vectors * lanes<Arch>), next_(tokens) {
    second_ = next_row();
    third_ = next_row();
  }

  BYTECNN_INLINE Floats<Arch> operator()() {
    const float* const first = second_;
    second_ = third_;
    third_ = next_row();
    return relu<Arch>((load<Arch>(first) + load<Arch>(second_ + width_)) + load<Arch>(third_ + 2 * width_));
  }

 private:
  BYTECNN_INLINE const float* next_row() { return rows_ + std::size_t{*next_++} * row_floats_; }

  const float* rows_;
  std::size_t row_floats_;
  std::size_t width_;
  const std::uint16_t* next_;
  const float* second_;
  const float* third_;
};

/// Pools the first `count` columns of the second layer.
template <class Arch>
void pool_table_winograd(const Plan& plan, const TokenSource& source, float* working, std::int64_t count,
                         Pooler<Arch>& pooler) noexcept {
  constexpr std::int64_t outputs = table_winograd_outputs;
  const TableStage& table = plan.table;
  const ConvStage& conv = plan.convs[0];
  WinogradConv<Arch, table_winograd_pairs, table_winograd_outputs> convolution(conv, working + plan.scratch_offset);
  auto* const tokens = reinterpret_cast<std::uint16_t*>(working + conv.buffer_offset);
  const std::int64_t windows_begin = -static_cast<std::int64_t>(table.pad_left);
  const std::int64_t windows_end = source.tokens + static_cast<std::int64_t>(table.pad_right);
  const auto columns = [&](std::size_t i) __attribute__((always_inline)) {
    return TableColumns<Arch>(table, tokens, i);
  };
  for (std::int64_t done = 0; done < count;) {
    const std::int64_t part = smaller<std::int64_t>(count - done, conv.block_columns());
    const std::int64_t tiles = (part + outputs - 1) / outputs;
    const std::int64_t first = done - static_cast<std::int64_t>(conv.pad_left) + windows_begin;
    stage_window_tokens<Arch>(source, windows_begin, windows_end, first, tiles * outputs + conv.reach() + 2, tokens);
    if (part == tiles * outputs) {
      convolution.pool_of(columns, static_cast<std::size_t>(tiles), pooler);
    } else {
      float* const tile = working + plan.tile_offset;
      convolution.columns_of(columns, tile, static_cast<std::size_t>(part));
      pooler.add_columns(tile, part);
    }
    done += part;
  }
}

}  // namespace bytecnn::kernels
