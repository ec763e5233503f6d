#pragma once
/// Models of one conv layer with relu: table columns pooled while they are in registers, never stored.
///
/// Cost a position and vector of filters: kernel_size row loads, kernel_size additions (one of them into the average),
/// two maxima. Relu and the running maximum are integer maxima where the instruction set has them, so that the
/// floating-point units only add. The bound is therefore max(loads / loads a cycle, additions / additions a cycle).
///
/// The windows come in three runs: those that touch the left border, those inside the text (indexed by the text's own
/// bytes, nothing is copied), and those that touch the end of the text or the right border.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "kernels/table_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Windows whose tokens lie in one array, `stride` tokens apart.
template <class Token>
struct WindowRun {
  const Token* tokens = nullptr;  ///< of the first window
  std::int64_t count = 0;
};

struct WindowRuns {
  WindowRun<std::uint16_t> left;
  WindowRun<unsigned char> interior;
  WindowRun<std::uint16_t> right;
};

/// Vectors vectors of filters, all windows. A sum over at most `sum_columns` positions joins a compensated total
/// (Kahan, 1965).
template <class Arch, std::size_t Kernel, std::size_t Vectors>
class TablePool {
 public:
  using V = Floats<Arch>;

  TablePool(const TableStage& table, std::size_t first) noexcept
      : rows_(table.rows + first * lanes<Arch>),
        row_(table.row_floats),
        width_(table.vectors * lanes<Arch>),
        kernel_(Kernel == 0 ? table.kernel_size : Kernel),
        stride_(table.stride),
        dilation_(table.dilation) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      sums_[v] = V(0.0F);
      maxima_[v] = V(0.0F);
      totals_[v] = V(0.0F);
      carries_[v] = V(0.0F);
    }
  }

  template <class Token>
  BYTECNN_INLINE void add(WindowRun<Token> run) noexcept {
    while (run.count > 0) {
      const std::int64_t room = sum_columns - in_sum_;
      const std::int64_t part = run.count < room ? run.count : room;
      if (Kernel != 0 && stride_ == 1 && dilation_ == 1) {
        add_adjacent(run.tokens, part);
      } else {
        for (std::int64_t p = 0; p < part; ++p) add_window(run.tokens + p * stride_);
      }
      run.tokens += part * stride_;
      run.count -= part;
      in_sum_ += part;
      if (in_sum_ == sum_columns) flush();
    }
  }

  /// The pooled features of these vectors, with the run of padding behind the text.
  BYTECNN_INLINE void finish(const PoolStage& pool, std::int64_t computed, std::int64_t repeats, std::size_t first,
                             float* features) noexcept {
    flush();
    auto positions = static_cast<float>(computed);
    const PadRun& run = pool.pad_run;
    if (repeats > 0) positions += static_cast<float>(repeats + run.border_columns);
    const V count(positions);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      const std::size_t at = (first + v) * lanes<Arch>;
      V total = totals_[v];
      V maximum = maxima_[v];
      if (repeats > 0) {
        total += multiply_add<Arch>(load<Arch>(run.constant + at), V(static_cast<float>(repeats)),
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
          maximum.store_aligned(features + width_ + at);  // moved together when all vectors are there
          break;
        default:
          average.store_aligned(features + at);
          break;
      }
    }
  }

  static constexpr std::int64_t sum_columns = 32;

 private:
  BYTECNN_INLINE void pool(V (&x)[Vectors]) noexcept {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      x[v] = positive_max<Arch>(x[v], V(0.0F));
      sums_[v] += x[v];
      maxima_[v] = positive_max<Arch>(maxima_[v], x[v]);
    }
  }

  template <class Token>
  BYTECNN_INLINE void add_window(const Token* window) noexcept {
    V x[Vectors];
    const float* tap = rows_ + window[0] * row_;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) x[v] = load<Arch>(tap + v * lanes<Arch>);
    for (std::size_t k = 1; k < kernel_; ++k) {
      tap = rows_ + window[k * dilation_] * row_ + k * width_;
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Vectors; ++v) x[v] += load<Arch>(tap + v * lanes<Arch>);
    }
    pool(x);
  }

  /// Positions [0, count) of windows one token apart: every token's row is looked up once for all its taps.
  template <class Token>
  BYTECNN_INLINE void add_adjacent(const Token* window, std::int64_t count) noexcept {
    constexpr std::int64_t unrolled = 4;
    std::int64_t p = 0;
    for (; p + unrolled <= count; p += unrolled, window += unrolled) {
      const float* rows[unrolled + Kernel];
#pragma GCC unroll 16
      for (std::size_t t = 0; t < unrolled + Kernel - 1; ++t) rows[t] = rows_ + window[t] * row_;
#pragma GCC unroll 8
      for (std::int64_t i = 0; i < unrolled; ++i) add_rows(rows + i);
    }
    for (; p < count; ++p, ++window) {
      const float* rows[Kernel + 1];
#pragma GCC unroll 16
      for (std::size_t t = 0; t < Kernel; ++t) rows[t] = rows_ + window[t] * row_;
      add_rows(rows);
    }
  }

  BYTECNN_INLINE void add_rows(const float* const* rows) noexcept {
    V x[Vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      x[v] = load<Arch>(rows[0] + v * lanes<Arch>);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Kernel; ++k) x[v] += load<Arch>(rows[k] + k * width_ + v * lanes<Arch>);
    }
    pool(x);
  }

  BYTECNN_INLINE void flush() noexcept {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      const V corrected = sums_[v] - carries_[v];
      const V next = totals_[v] + corrected;
      carries_[v] = (next - totals_[v]) - corrected;
      totals_[v] = next;
      sums_[v] = V(0.0F);
    }
    in_sum_ = 0;
  }

  const float* rows_;
  std::size_t row_;
  std::size_t width_;
  std::size_t kernel_;
  std::int64_t stride_;
  std::size_t dilation_;
  std::int64_t in_sum_ = 0;
  V sums_[Vectors];
  V maxima_[Vectors];
  V totals_[Vectors];
  V carries_[Vectors];
};

template <class Arch, std::size_t Kernel, std::size_t Vectors>
void pool_table_vectors(const Plan& plan, const WindowRuns& runs, std::int64_t repeats, std::size_t first,
                        float* features) noexcept {
  TablePool<Arch, Kernel, Vectors> pool(plan.table, first);
  pool.add(runs.left);
  pool.add(runs.interior);
  pool.add(runs.right);
  pool.finish(plan.pool, runs.left.count + runs.interior.count + runs.right.count, repeats, first, features);
}

template <class Arch, std::size_t Kernel>
void pool_table_blocks(const Plan& plan, const WindowRuns& runs, std::int64_t repeats, float* features) noexcept {
  // As many vectors at once as the registers hold: a sum, a maximum and a new column each.
  constexpr std::size_t block = registers<Arch> == 32 ? 6 : 4;
  const std::size_t vectors = plan.table.vectors;
  std::size_t v = 0;
  for (; vectors - v > block; v += block) pool_table_vectors<Arch, Kernel, block>(plan, runs, repeats, v, features);
  switch (vectors - v) {
    case 1:
      return pool_table_vectors<Arch, Kernel, 1>(plan, runs, repeats, v, features);
    case 2:
      return pool_table_vectors<Arch, Kernel, 2>(plan, runs, repeats, v, features);
    case 3:
      return pool_table_vectors<Arch, Kernel, 3>(plan, runs, repeats, v, features);
    case 4:
      return pool_table_vectors<Arch, Kernel, 4>(plan, runs, repeats, v, features);
    case 5:
      if constexpr (block >= 5) pool_table_vectors<Arch, Kernel, 5>(plan, runs, repeats, v, features);
      return;
    default:
      if constexpr (block >= 6) pool_table_vectors<Arch, Kernel, 6>(plan, runs, repeats, v, features);
      return;
  }
}

/// Columns [0, high) and the run of padding, pooled into `features`.
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
                        {right, high - interior.end}};
  switch (table.kernel_size) {
    case 1:
      pool_table_blocks<Arch, 1>(plan, runs, repeats, features);
      break;
    case 3:
      pool_table_blocks<Arch, 3>(plan, runs, repeats, features);
      break;
    case 5:
      pool_table_blocks<Arch, 5>(plan, runs, repeats, features);
      break;
    default:
      pool_table_blocks<Arch, 0>(plan, runs, repeats, features);
      break;
  }
  if (plan.pool.pooling != Pooling::concat_avg_max) return;
  // The maxima follow the last channel, not the last lane; what lies behind them stays finite.
  const std::size_t width = table.vectors * lanes<Arch>;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    load<Arch>(features + width + i).store_unaligned(features + plan.pool.channels + i);
  }
}

}  // namespace bytecnn::kernels
