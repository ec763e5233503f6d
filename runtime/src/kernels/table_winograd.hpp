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

/// Columns of a table of kernel size 3 for windows that move by one token, `together` vectors of filters at a time.
template <class Arch>
struct TableColumns {
  static constexpr std::size_t together = registers<Arch> == 32 ? 2 : 1;

  const TableStage& table;
  const std::uint16_t* tokens;

  /// From filter `filter` on.
  BYTECNN_INLINE auto operator()(std::size_t filter) const {
    const float* const rows = table.rows + filter;
    const std::size_t row_floats = table.row_floats;
    const std::size_t width = table.vectors * lanes<Arch>;
    const auto row = [ rows, row_floats ](const std::uint16_t* token) __attribute__((always_inline)) {
      return rows + std::size_t{*token} * row_floats;
    };
    return [ row, width, second = row(tokens), third = row(tokens + 1), next = tokens + 2 ]<std::size_t Vectors>(
        Floats<Arch>(&column)[Vectors]) mutable __attribute__((always_inline)) {
      const float* const first = second;
      second = third;
      third = row(next++);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v) {
        const std::size_t i = v * lanes<Arch>;
        const Floats<Arch> sum = load<Arch>(first + i) + load<Arch>(second + width + i);
        column[v] = relu<Arch>(sum + load<Arch>(third + 2 * width + i));
      }
    };
  }
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
  const TableColumns<Arch> columns{table, tokens};
  const std::int64_t block = conv.block_columns();
  for (std::int64_t done = 0; done < count;) {
    // What is left in the end is never a few tiles alone, which would be slow.
    const std::int64_t left = count - done;
    const std::int64_t part = left <= block ? left : left < block / 3 * 4 ? block / 3 * 2 : block;
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
