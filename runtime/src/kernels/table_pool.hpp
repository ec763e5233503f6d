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
/// Windows are pooled four a round as long as they end inside the text, whose bytes are read where they lie; what is
/// left, windows that see the end of the text, is pooled two at a time. Behind the last window come tokens "nothing",
/// whose row is minus infinity: it adds nothing to sums of relu's nor to maxima.
///
/// The bytes of a round are read a few rounds before their rows: the processor's queue of loads holds less than two
/// rounds, and rows whose address is not known yet would fill it (40 filters on AVX-512, cycles a position: 5.5 without
/// reading ahead, 4.4 with it, 4.2 with addresses that never change).

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/simd.hpp"
#include "kernels/staged_tokens.hpp"
#include "kernels/table_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// All windows, or with a run of padding those before the constant ones.
BYTECNN_INLINE ColumnCounts columns_to_pool(const Plan& plan, const TokenSource& source) noexcept {
  const TableStage& table = plan.table;
  const auto stride = static_cast<std::int64_t>(table.stride);
  const auto pads = static_cast<std::int64_t>(table.pad_left) + static_cast<std::int64_t>(table.pad_right);
  const std::int64_t all = divide(source.tokens + pads - table.window_span(), stride) + 1;
  const PadRun& run = plan.pool.pad_run;
  if (!run.present) return {all, 0};
  const std::int64_t first_constant =
      divide(source.length + static_cast<std::int64_t>(table.pad_left) + stride - 1, stride);
  if (first_constant > run.last_constant) return {all, 0};
  return {first_constant, run.last_constant - first_constant + 1};
}

/// What tables hold and how it is summed. Vectors are passed on as floats whatever their bits mean.
template <class Arch>
struct FloatNumbers {
  using V = Floats<Arch>;
  static constexpr bool whole = false;
  static BYTECNN_INLINE V add(V a, V b) { return a + b; }
  static BYTECNN_INLINE V positive(V x) { return relu<Arch>(x); }
  static BYTECNN_INLINE V larger(V a, V b) { return positive_max<Arch>(a, b); }
};

/// Fixed point; see fixed_point.hpp for the scales that keep every sum in range.
template <class Arch, class Number>
struct WholeNumbers {
  using V = Floats<Arch>;
  static constexpr bool whole = true;
  static BYTECNN_INLINE V add(V a, V b) { return same_bits<float>(same_bits<Number>(a) + same_bits<Number>(b)); }
  static BYTECNN_INLINE V positive(V x) { return larger(x, V(0.0F)); }
  static BYTECNN_INLINE V larger(V a, V b) {
    return same_bits<float>(xsimd::max(same_bits<Number>(a), same_bits<Number>(b)));
  }
};

/// Windows of a round.
inline constexpr std::int64_t round_windows = 4;
/// Rounds that are summed before they join the compensated total (Kahan, 1965): 512 equal columns would otherwise cost
/// more than 1e-5 of the average.
inline constexpr std::int64_t sum_rounds = 16;
/// The same for sums of 12 bits in 16.
inline constexpr std::int64_t short_sum_rounds = 4;
/// Rounds between reading bytes and loading their rows.
inline constexpr std::size_t rounds_ahead = 3;

/// One block. Kernel 0 takes any kernel, stride and dilation; other kernels have stride and dilation 1, and windows
/// begin less than a kernel before the text.
template <class Arch, class Numbers, std::size_t Kernel, std::size_t Vectors, bool Tail>
class TablePool {
 public:
  using V = Floats<Arch>;
  static constexpr std::int64_t rounds_of_sum =
      std::is_same_v<Numbers, WholeNumbers<Arch, std::int16_t>> ? short_sum_rounds : sum_rounds;
  static constexpr std::size_t width = Vectors * lanes<Arch>;
  static constexpr std::size_t half = lanes<Arch> / 2;
  /// Vectors with the tail.
  static constexpr std::size_t sums = Vectors + (Tail ? 1 : 0);
  /// Whether four columns beside all sums and maxima would put some of these into memory (five vectors on AVX2: 1.03
  /// times as long).
  static constexpr bool crowded = 2 * sums + 6 >= registers<Arch>;

  TablePool(const TableStage& table, const float* rows) noexcept
      : rows_(rows),
        kernel_(Kernel == 0 ? table.kernel_size : Kernel),
        row_(kernel_ * width + (Tail ? (Kernel - 1) * lanes<Arch> : 0)),
        stride_(Kernel == 0 ? table.stride : 1),
        dilation_(table.dilation) {
    unrolled<sums>([&](auto v) { sums_[v] = maxima_[v] = totals_[v] = carries_[v] = V(0.0F); });
  }

  /// Windows [0, windows) of the input.
  BYTECNN_INLINE void add(const TableStage& table, const TokenSource& source, std::int64_t windows) noexcept {
    if constexpr (Kernel == 0) {
      add_any(table, source, windows);
    } else {
      add_adjacent(table, source, windows);
    }
  }

  /// Pools what was added and the run of padding into features [first, first + the block's filters). `scale` is one
  /// divided by the number of positions.
  BYTECNN_INLINE void finish(const PoolStage& pool, std::int64_t repeats, float scale, std::size_t first,
                             float* features) noexcept {
    unrolled<sums>([&](auto v) {
      V total = totals_[v] + (sums_[v] - carries_[v]);
      V maximum = maxima_[v];
      if (v == Vectors) {  // both positions' halves; what lands in the upper half is not a filter
        total += swap_halves<Arch>(total);
        maximum = positive_max<Arch>(maximum, swap_halves<Arch>(maximum));
      }
      const std::size_t at = first + v * lanes<Arch>;
      if (repeats > 0) {
        const PadRun& run = pool.pad_run;
        total += multiply_add<Arch>(load<Arch>(run.constant + at), V(static_cast<float>(repeats)),
                                    load<Arch>(run.border_sum + at));
        maximum = positive_max<Arch>(maximum, load<Arch>(run.largest + at));
      }
      const V average = total * V(scale);
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
    });
  }

  /// Stores maxima, lower and upper halves of the sums: three columns of `width_floats`, block by block.
  BYTECNN_INLINE void finish_whole(std::size_t first, std::size_t width_floats, float* out) noexcept {
    flush();
    unrolled<sums>([&](auto v) {
      V low = totals_[v];
      V high = carries_[v];
      V maximum = maxima_[v];
      if (v == Vectors) {
        const auto both = [](V x) __attribute__((always_inline)) {
          return same_bits<float>(same_bits<std::uint32_t>(x) + same_bits<std::uint32_t>(swap_halves<Arch>(x)));
        };
        low = both(low);
        high = both(high);
        maximum = Numbers::larger(maximum, swap_halves<Arch>(maximum));
      }
      const std::size_t at = first + v * lanes<Arch>;
      maximum.store_aligned(out + at);
      low.store_aligned(out + width_floats + at);
      high.store_aligned(out + 2 * width_floats + at);
    });
  }

 private:
  [[nodiscard]] BYTECNN_INLINE const float* row(std::uint64_t token) const { return rows_ + token * row_; }

  BYTECNN_INLINE void add_window(const std::uint16_t* window) noexcept {
    V x[Vectors];
    const float* tap = row(window[0]);
    unrolled<Vectors>([&](auto v) { x[v] = load<Arch>(tap + v * lanes<Arch>); });
    for (std::size_t k = 1; k < kernel_; ++k) {
      tap = row(window[k * dilation_]) + k * width;
      unrolled<Vectors>([&](auto v) { x[v] = Numbers::add(x[v], load<Arch>(tap + v * lanes<Arch>)); });
    }
    unrolled<Vectors>([&](auto v) { pool_one(v, x[v]); });
  }

  static BYTECNN_INLINE std::uint32_t four_bytes(const unsigned char* bytes) noexcept {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
  }

  /// Windows one token apart: every token's row is looked up once for all its taps.
  BYTECNN_INLINE void add_adjacent(const TableStage& table, const TokenSource& source, std::int64_t windows) noexcept {
    const auto pad = static_cast<std::int64_t>(table.pad_left);
    const EdgeTokens edge(source, windows - pad + static_cast<std::int64_t>(Kernel) - 1);
    const float* rows[Kernel + 3];
    unrolled<Kernel - 1>([&](auto t) { rows[t] = row(edge.at(static_cast<std::int64_t>(t) - pad)); });
    std::int64_t position = static_cast<std::int64_t>(Kernel) - 1 - pad;  // of the next token
    std::int64_t rounds = source.length > position ? (source.length - position) / round_windows : 0;
    if (rounds > windows / round_windows) rounds = windows / round_windows;
    if (rounds > 0) {
      const unsigned char* next = source.bytes + position;
      const unsigned char* const last = next + (rounds - 1) * round_windows;
      position += rounds * round_windows;
      std::uint32_t words[rounds_ahead];
      const auto read = [&](std::size_t ahead) __attribute__((always_inline)) {
        const unsigned char* const from = next + static_cast<std::int64_t>(ahead) * round_windows;
        return four_bytes(from < last ? from : last);
      };
      unrolled<rounds_ahead>([&](auto a) { words[a] = read(a); });
      for (;;) {
        const unsigned char* const stop =
            rounds < rounds_of_sum ? last + round_windows : next + rounds_of_sum * round_windows;
        do {
          const std::uint32_t word = words[0];
          unrolled<rounds_ahead - 1>([&](auto a) { words[a] = words[a + 1]; });
          words[rounds_ahead - 1] = read(rounds_ahead);
          unrolled<4>([&](auto t) { rows[Kernel - 1 + t] = row((word >> (8 * t)) & 0xffU); });
          add_columns<4>(rows);
          if constexpr (Tail) add_tails<4>(rows);
          unrolled<Kernel - 1>([&](auto t) { rows[t] = rows[t + 4]; });
          next += round_windows;
        } while (next != stop);
        rounds -= rounds_of_sum;
        if (rounds <= 0) break;
        flush();
      }
    }
    if constexpr (Numbers::whole) flush();
    std::int64_t left = windows - (position + pad + 1 - static_cast<std::int64_t>(Kernel));
    for (std::int64_t pairs = 1; left > 0; left -= 2, ++pairs) {
      unrolled<2>([&](auto t) { rows[Kernel - 1 + t] = row(edge.at(position + static_cast<std::int64_t>(t))); });
      position += 2;
      add_columns<2>(rows);
      if constexpr (Tail) add_tails<2>(rows);
      unrolled<Kernel - 1>([&](auto t) { rows[t] = rows[t + 2]; });
      if (pairs % (rounds_of_sum * 2) == 0) flush();
    }
  }

  BYTECNN_INLINE void add_any(const TableStage& table, const TokenSource& source, std::int64_t windows) noexcept {
    constexpr std::int64_t sum_windows = rounds_of_sum * round_windows;
    std::uint16_t tokens[static_cast<std::size_t>(sum_windows) + TableStage::max_window_span];
    const std::int64_t most = stride_ == 1 ? sum_windows : sum_windows / stride_ + 1;
    for (std::int64_t done = 0; done < windows; done += most) {
      const std::int64_t count = windows - done < most ? windows - done : most;
      const std::int64_t first = done * stride_ - static_cast<std::int64_t>(table.pad_left);
      stage_tokens<Arch>(source, first, (count - 1) * stride_ + table.window_span(), tokens);
      for (std::int64_t w = 0; w < count; ++w) add_window(tokens + w * stride_);
      flush();
    }
  }

  /// Four positions' values of vector v.
  BYTECNN_INLINE void pool_four(std::size_t v, V a, V b, V c, V d) noexcept {
    a = Numbers::positive(a);
    b = Numbers::positive(b);
    c = Numbers::positive(c);
    d = Numbers::positive(d);
    sums_[v] = Numbers::add(sums_[v], Numbers::add(Numbers::add(a, b), Numbers::add(c, d)));
    maxima_[v] = Numbers::larger(maxima_[v], Numbers::larger(Numbers::larger(a, b), Numbers::larger(c, d)));
  }

  BYTECNN_INLINE void pool_one(std::size_t v, V a) noexcept {
    a = Numbers::positive(a);
    sums_[v] = Numbers::add(sums_[v], a);
    maxima_[v] = Numbers::larger(maxima_[v], a);
  }

  BYTECNN_INLINE void pool_two(std::size_t v, V a, V b) noexcept {
    a = Numbers::positive(a);
    b = Numbers::positive(b);
    sums_[v] = Numbers::add(sums_[v], Numbers::add(a, b));
    maxima_[v] = Numbers::larger(maxima_[v], Numbers::larger(a, b));
  }

  /// Windows: 2 or 4.
  template <std::size_t Windows>
  BYTECNN_INLINE void add_columns(const float* const* rows) noexcept {
    unrolled<Vectors>([&](auto v) {
      const auto column = [&](std::size_t p) __attribute__((always_inline)) {
        V x = load<Arch>(rows[p] + v * lanes<Arch>);
        unrolled<Kernel - 1>(
            [&](auto k) { x = Numbers::add(x, load<Arch>(rows[p + k + 1] + (k + 1) * width + v * lanes<Arch>)); });
        return x;
      };
      if constexpr (Windows == 4 && crowded) {
        pool_two(v, column(0), column(1));
        pool_two(v, column(2), column(3));
      } else if constexpr (Windows == 4) {
        pool_four(v, column(0), column(1), column(2), column(3));
      } else {
        pool_two(v, column(0), column(1));
      }
    });
  }

  /// Tail j of a row; its halves are T_j and T_j-1.
  static BYTECNN_INLINE const float* tail(const float* row, std::size_t j) {
    return row + Kernel * width + (j - 1) * lanes<Arch>;
  }

  template <std::size_t Windows>
  BYTECNN_INLINE void add_tails(const float* const* rows) noexcept {
    const auto pair = [&](std::size_t p) __attribute__((always_inline)) {
      V x = load_halves<Arch>(tail(rows[p], 1) + half, tail(rows[p + Kernel], Kernel - 1));
      unrolled<Kernel - 1>([&](auto j) { x = Numbers::add(x, load<Arch>(tail(rows[p + j + 1], j + 1))); });
      return x;
    };
    if constexpr (Windows == 4) {
      pool_two(Vectors, pair(0), pair(2));
    } else {
      pool_one(Vectors, pair(0));
    }
  }

  BYTECNN_INLINE void flush() noexcept {
    if constexpr (Numbers::whole) {
      flush_whole();
    } else {
      flush_floats();
    }
    unrolled<sums>([&](auto v) { sums_[v] = V(0.0F); });
  }

  BYTECNN_INLINE void flush_floats() noexcept {
    unrolled<sums>([&](auto v) {
      const V corrected = sums_[v] - carries_[v];
      const V next = totals_[v] + corrected;
      carries_[v] = (next - totals_[v]) - corrected;
      totals_[v] = next;
    });
  }

  /// Lower and upper 16 bits of every 32 are summed apart: of a number of 32 bits, or of two numbers of 16.
  BYTECNN_INLINE void flush_whole() noexcept {
    using Words = xsimd::batch<std::uint32_t, Arch>;
    unrolled<sums>([&](auto v) {
      const Words words = same_bits<std::uint32_t>(sums_[v]);
      totals_[v] = same_bits<float>(same_bits<std::uint32_t>(totals_[v]) + (words & Words(0xffffU)));
      carries_[v] = same_bits<float>(same_bits<std::uint32_t>(carries_[v]) + (words >> 16));
    });
  }

  const float* rows_;
  std::size_t kernel_;
  std::size_t row_;
  std::int64_t stride_;
  std::size_t dilation_;
  V sums_[sums];
  V maxima_[sums];
  V totals_[sums];
  V carries_[sums];
};

/// Flattened: one lambda that is called instead of inlined would put all accumulators into memory.
template <class Arch, class Numbers, std::size_t Kernel, std::size_t Vectors, bool Tail>
__attribute__((flatten)) void pool_table_block(const Plan& plan, const TableBlock& block, const TokenSource& source,
                                               ColumnCounts columns, float scale, float* features) noexcept {
  TablePool<Arch, Numbers, Kernel, Vectors, Tail> pool(plan.table, block.rows);
  pool.add(plan.table, source, columns.windows);
  if constexpr (Numbers::whole) {
    pool.finish_whole(block.first, plan.pool.vectors * lanes<Arch>, features);
  } else {
    pool.finish(plan.pool, columns.repeats, scale, block.first, features);
  }
}

template <class Arch, class Numbers, std::size_t Kernel>
BYTECNN_INLINE void pool_table_blocks(const Plan& plan, const TokenSource& source, ColumnCounts columns, float scale,
                                      float* features) noexcept {
  const auto run_block = [&](const TableBlock& block) {
    const auto run = [&]<std::size_t Vectors, bool Tail>() {
      pool_table_block<Arch, Numbers, Kernel, Vectors, Tail>(plan, block, source, columns, scale, features);
    };
    constexpr std::size_t most = most_block_parts(Kernel, lanes<Arch>, Numbers::whole);
    unrolled<most>([&](auto v) {
      if (!block.tail && block.vectors == v + 1) run.template operator()<v + 1, false>();
    });
    if constexpr (Kernel >= 2 && shares_tails(lanes<Arch>)) {
      unrolled<most>([&](auto v) {
        if (block.tail && block.vectors == v) run.template operator()<v, true>();
      });
    }
  };
  for (std::uint32_t b = 0; b < plan.table.block_count; ++b) run_block(plan.table.blocks[b]);
}

/// Pools the whole input into `features`.
template <class Arch>
void pool_table(const Plan& plan, const TokenSource& source, float* features) noexcept {
  using Numbers = FloatNumbers<Arch>;
  const ColumnCounts columns = columns_to_pool(plan, source);
  std::int64_t positions = columns.windows;
  if (columns.repeats > 0) positions += columns.repeats + plan.pool.pad_run.border_columns;
  const float scale = 1.0F / static_cast<float>(positions);
  switch (plan.table.block_kernel) {
    case 2:
      pool_table_blocks<Arch, Numbers, 2>(plan, source, columns, scale, features);
      break;
    case 3:
      pool_table_blocks<Arch, Numbers, 3>(plan, source, columns, scale, features);
      break;
    case 4:
      pool_table_blocks<Arch, Numbers, 4>(plan, source, columns, scale, features);
      break;
    case 5:
      pool_table_blocks<Arch, Numbers, 5>(plan, source, columns, scale, features);
      break;
    case 7:
      pool_table_blocks<Arch, Numbers, 7>(plan, source, columns, scale, features);
      break;
    default:
      pool_table_blocks<Arch, Numbers, 0>(plan, source, columns, scale, features);
      break;
  }
  if (plan.pool.pooling != Pooling::concat_avg_max) return;
  // The maxima follow the last channel, not the last lane; what lies behind them stays finite.
  const std::size_t width = plan.pool.vectors * lanes<Arch>;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    load<Arch>(features + width + i).store_unaligned(features + plan.pool.channels + i);
  }
}

/// Pools the whole input in fixed point: maxima and sums as `TablePool::finish_whole` lays them out, and in a fourth
/// column the `ColumnCounts`. The run of padding and the border behind it are left to the caller.
template <class Arch, class Number>
void pool_table_whole(const Plan& plan, const TokenSource& source, float* out) noexcept {
  using Numbers = WholeNumbers<Arch, Number>;
  const ColumnCounts columns = columns_to_pool(plan, source);
  if (plan.table.block_kernel == 3) {
    pool_table_blocks<Arch, Numbers, 3>(plan, source, columns, 0.0F, out);
  } else {
    pool_table_blocks<Arch, Numbers, 0>(plan, source, columns, 0.0F, out);
  }
  std::memcpy(out + 3 * plan.pool.vectors * lanes<Arch>, &columns, sizeof(columns));
}

}  // namespace bytecnn::kernels
