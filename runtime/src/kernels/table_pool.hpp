#pragma once
/// Models of one conv layer with relu: table columns pooled while they are in registers, never stored.
///
/// A block of filters has a table of its own, so that its rows are short and its offsets constants:
///
///   rows[token] = tap 0: [vector 0] ... [vector V-1]   tap 1: ...   tap K-1: ...   [tail 1] ... [tail K-1]
///
/// Cost a position and vector: K row loads, K additions (one of them into the average), two maxima. Relu and the
/// running maximum are integer maxima where the instruction set has them, so that the floating-point units only add.
/// The bound is therefore max(loads / loads a cycle, additions / additions a cycle).
///
/// Filters that fill at most half a vector share one between two adjacent positions (the tail): with T_k the half row
/// of tap k, tail j of a token is [T_j | T_j-1], so that token j of K + 1 adds its tail j to both positions at once;
/// the first token adds T_0 below and the last T_K-1 above. That is K loads and K additions for two positions.
///
/// The windows come in three runs: those that touch the left border, those inside the text (indexed by the text's own
/// bytes, nothing is copied), and those that touch the end of the text or the right border.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "kernels/table_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Windows whose tokens lie in one array.
template <class Token>
struct WindowRun {
  const Token* tokens = nullptr;  ///< of the first window
  std::int64_t count = 0;
};

struct WindowRuns {
  WindowRun<std::uint16_t> left;
  WindowRun<unsigned char> interior;
  WindowRun<std::uint16_t> right;
  std::int64_t repeats = 0;  ///< of the constant column behind them

  [[nodiscard]] std::int64_t count() const { return left.count + interior.count + right.count; }
};

/// One block. Kernel 0 takes any kernel, stride and dilation; other kernels have stride and dilation 1.
template <class Arch, std::size_t Kernel, std::size_t Vectors, bool Tail>
class TablePool {
 public:
  using V = Floats<Arch>;
  static constexpr std::size_t width = Vectors * lanes<Arch>;
  static constexpr std::size_t half = lanes<Arch> / 2;
  /// Vectors with the tail.
  static constexpr std::size_t sums = Vectors + (Tail ? 1 : 0);
  /// Positions that are summed before they join the compensated total (Kahan, 1965): 512 equal columns would otherwise
  /// cost more than 1e-5 of the average.
  static constexpr std::int64_t sum_positions = 32;

  TablePool(const TableStage& table, const float* rows) noexcept
      : rows_(rows),
        kernel_(Kernel == 0 ? table.kernel_size : Kernel),
        row_(kernel_ * width + (Tail ? (Kernel - 1) * lanes<Arch> : 0)),
        stride_(Kernel == 0 ? table.stride : 1),
        dilation_(table.dilation) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < sums; ++v) sums_[v] = maxima_[v] = totals_[v] = carries_[v] = V(0.0F);
  }

  template <class Token>
  BYTECNN_INLINE void add(WindowRun<Token> run) noexcept {
    while (run.count > 0) {
      const std::int64_t room = sum_positions - in_sum_;
      const std::int64_t part = run.count < room ? run.count : room;
      if constexpr (Kernel == 0) {
        for (std::int64_t p = 0; p < part; ++p) add_window(run.tokens + p * stride_);
      } else {
        add_adjacent(run.tokens, part);
      }
      run.tokens += part * stride_;
      run.count -= part;
      in_sum_ += part;
      if (in_sum_ == sum_positions) flush();
    }
  }

  /// Pools what was added and the run of padding into features [first, first + the block's filters).
  BYTECNN_INLINE void finish(const PoolStage& pool, const WindowRuns& runs, std::size_t first,
                             float* features) noexcept {
    flush();
    auto positions = static_cast<float>(runs.count());
    if (runs.repeats > 0) positions += static_cast<float>(runs.repeats + pool.pad_run.border_columns);
    const V count(positions);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < sums; ++v) {
      V total = totals_[v];
      V maximum = maxima_[v];
      if (v == Vectors) {  // both positions' halves; what lands in the upper half is not a filter
        total += swap_halves<Arch>(total);
        maximum = positive_max<Arch>(maximum, swap_halves<Arch>(maximum));
      }
      const std::size_t at = first + v * lanes<Arch>;
      if (runs.repeats > 0) {
        const PadRun& run = pool.pad_run;
        total += multiply_add<Arch>(load<Arch>(run.constant + at), V(static_cast<float>(runs.repeats)),
                                    load<Arch>(run.border_sum + at));
        maximum = positive_max<Arch>(maximum, load<Arch>(run.largest + at));
      }
      const V average = total / count;
      switch (pool.pooling) {
        case Pooling::max:
          maximum.store_aligned(features + at);
          break;
        case Pooling::avg_max:
          ((average + maximum) * V(0.5F)).store_aligned(features + at);
          break;
        case Pooling::concat_avg_max:
          average.store_aligned(features + at);
          maximum.store_aligned(features + pool.vectors * lanes<Arch> + at);  // moved when all blocks are done
          break;
        default:
          average.store_aligned(features + at);
          break;
      }
    }
  }

 private:
  BYTECNN_INLINE void pool(std::size_t v, V x) noexcept {
    x = positive_max<Arch>(x, V(0.0F));
    sums_[v] += x;
    maxima_[v] = positive_max<Arch>(maxima_[v], x);
  }

  template <class Token>
  BYTECNN_INLINE void add_window(const Token* window) noexcept {
    V x[Vectors];
    const float* tap = rows_ + window[0] * row_;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) x[v] = load<Arch>(tap + v * lanes<Arch>);
    for (std::size_t k = 1; k < kernel_; ++k) {
      tap = rows_ + window[k * dilation_] * row_ + k * width;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Vectors; ++v) x[v] += load<Arch>(tap + v * lanes<Arch>);
    }
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) pool(v, x[v]);
  }

  /// Windows one token apart: every token's row is looked up once for all its taps.
  template <class Token>
  BYTECNN_INLINE void add_adjacent(const Token* window, std::int64_t count) noexcept {
    constexpr std::int64_t unrolled = 4;
    const float* rows[unrolled + Kernel];
    const auto look_up = [&](std::size_t tokens) {
#pragma GCC unroll 16
      for (std::size_t t = 0; t < tokens; ++t) rows[t] = rows_ + window[t] * row_;
    };
    std::int64_t p = 0;
    for (; p + unrolled <= count; p += unrolled, window += unrolled) {
      look_up(unrolled + Kernel - 1);
#pragma GCC unroll 8
      for (std::int64_t i = 0; i < unrolled; ++i) add_rows(rows + i);
      if constexpr (Tail) {
#pragma GCC unroll 8
        for (std::int64_t i = 0; i < unrolled; i += 2) add_tail_pair(rows + i);
      }
    }
    for (; p < count; ++p, ++window) {
      look_up(Kernel);
      add_rows(rows);
      if constexpr (Tail) add_tail(rows);
    }
  }

  BYTECNN_INLINE void add_rows(const float* const* rows) noexcept {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      V x = load<Arch>(rows[0] + v * lanes<Arch>);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Kernel; ++k) x += load<Arch>(rows[k] + k * width + v * lanes<Arch>);
      pool(v, x);
    }
  }

  /// Tail j of a row; its halves are T_j and T_j-1.
  static BYTECNN_INLINE const float* tail(const float* row, std::size_t j) {
    return row + Kernel * width + (j - 1) * lanes<Arch>;
  }

  BYTECNN_INLINE void add_tail_pair(const float* const* rows) noexcept {
    V x = load_halves<Arch>(tail(rows[0], 1) + half, tail(rows[Kernel], Kernel - 1));
#pragma GCC unroll 8
    for (std::size_t j = 1; j < Kernel; ++j) x += load<Arch>(tail(rows[j], j));
    pool(Vectors, x);
  }

  /// A single position's tail; the upper half stays zero, which changes neither a sum nor a maximum of relu's.
  BYTECNN_INLINE void add_tail(const float* const* rows) noexcept {
    alignas(64) static constexpr float zeros[lanes<Arch>] = {};
    V x = load_halves<Arch>(tail(rows[0], 1) + half, zeros);
#pragma GCC unroll 8
    for (std::size_t k = 1; k < Kernel; ++k) x += load_halves<Arch>(tail(rows[k], k), zeros);
    pool(Vectors, x);
  }

  BYTECNN_INLINE void flush() noexcept {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < sums; ++v) {
      const V corrected = sums_[v] - carries_[v];
      const V next = totals_[v] + corrected;
      carries_[v] = (next - totals_[v]) - corrected;
      totals_[v] = next;
      sums_[v] = V(0.0F);
    }
    in_sum_ = 0;
  }

  const float* rows_;
  std::size_t kernel_;
  std::size_t row_;
  std::int64_t stride_;
  std::size_t dilation_;
  std::int64_t in_sum_ = 0;
  V sums_[sums];
  V maxima_[sums];
  V totals_[sums];
  V carries_[sums];
};

template <class Arch, std::size_t Kernel, std::size_t Vectors, bool Tail>
void pool_table_block(const Plan& plan, const float* rows, const WindowRuns& runs, std::size_t first,
                      float* features) noexcept {
  TablePool<Arch, Kernel, Vectors, Tail> pool(plan.table, rows);
  pool.add(runs.left);
  pool.add(runs.interior);
  pool.add(runs.right);
  pool.finish(plan.pool, runs, first, features);
}

template <class Arch, std::size_t Kernel>
void pool_table_blocks(const Plan& plan, const WindowRuns& runs, float* features) noexcept {
  for (std::uint32_t b = 0; b < plan.table.block_count; ++b) {
    const TableBlock& block = plan.table.blocks[b];
    const auto run = [&]<std::size_t Vectors, bool Tail>() {
      pool_table_block<Arch, Kernel, Vectors, Tail>(plan, block.rows, runs, block.first, features);
    };
    if (!block.tail) {
      switch (block.vectors) {
        case 1:
          run.template operator()<1, false>();
          break;
        case 2:
          run.template operator()<2, false>();
          break;
        case 3:
          run.template operator()<3, false>();
          break;
        case 4:
          run.template operator()<4, false>();
          break;
        case 5:
          run.template operator()<5, false>();
          break;
        default:
          run.template operator()<6, false>();
          break;
      }
    } else if constexpr (Kernel >= 2) {
      switch (block.vectors) {
        case 0:
          run.template operator()<0, true>();
          break;
        case 1:
          run.template operator()<1, true>();
          break;
        case 2:
          run.template operator()<2, true>();
          break;
        case 3:
          run.template operator()<3, true>();
          break;
        case 4:
          run.template operator()<4, true>();
          break;
        default:
          run.template operator()<5, true>();
          break;
      }
    }
  }
}

/// Columns [0, high) and `repeats` of the constant one, pooled into `features`.
template <class Arch>
void pool_table(const Plan& plan, const TokenSource& source, std::int64_t high, std::int64_t repeats,
                float* features) noexcept {
  const TableStage& table = plan.table;
  const ColumnRange interior = interior_columns(table, source, 0, high);
  const auto stride = static_cast<std::int64_t>(table.stride);
  const auto pad = static_cast<std::int64_t>(table.pad_left);
  const std::int64_t reach = static_cast<std::int64_t>(table.dilation) * (table.kernel_size - 1);
  std::uint16_t left[TableStage::max_edge_tokens];
  std::uint16_t right[TableStage::max_edge_tokens];
  const auto stage = [&](std::int64_t begin, std::int64_t end, std::uint16_t* tokens) {
    if (begin >= end) return;
    const std::int64_t first = begin * stride - pad;
    const std::int64_t count = (end - 1 - begin) * stride + reach + 1;
    for (std::int64_t i = 0; i < count; ++i) tokens[i] = static_cast<std::uint16_t>(source.at(first + i));
  };
  stage(0, interior.begin, left);
  stage(interior.end, high, right);
  const WindowRuns runs{{left, interior.begin},
                        {source.bytes + interior.begin * stride - pad, interior.end - interior.begin},
                        {right, high - interior.end},
                        repeats};
  switch (table.block_kernel) {
    case 3:
      pool_table_blocks<Arch, 3>(plan, runs, features);
      break;
    case 5:
      pool_table_blocks<Arch, 5>(plan, runs, features);
      break;
    default:
      pool_table_blocks<Arch, 0>(plan, runs, features);
      break;
  }
  if (plan.pool.pooling != Pooling::concat_avg_max) return;
  // The maxima follow the last channel, not the last lane; what lies behind them stays finite.
  const std::size_t width = plan.pool.vectors * lanes<Arch>;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    load<Arch>(features + width + i).store_unaligned(features + plan.pool.channels + i);
  }
}

}  // namespace bytecnn::kernels
