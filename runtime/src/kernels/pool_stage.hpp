#pragma once
/// Global pooling, a few columns at a time.
///
/// Sums run over at most `sum_columns` columns before they join the total, and the total carries a compensation
/// (Kahan, 1965): a run of 512 equal columns would otherwise cost more than 1e-5 of the result. Variances are merged by
/// the formula of Chan, Golub and LeVeque (1983).

#include <cstddef>
#include <cstdint>
#include <limits>

#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

inline constexpr std::int64_t sum_columns = 32;

template <class Arch>
class Pooler {
 public:
  using V = Floats<Arch>;

  /// `memory` holds `memory_columns` columns of stage.vectors vectors, aligned.
  Pooler(const PoolStage& stage, float* memory) noexcept
      : stage_(stage),
        width_(stage.vectors * lanes<Arch>),
        sum_(memory),
        carry_(memory + width_),
        maximum_(memory + 2 * width_),
        squares_(memory + 3 * width_) {}

  /// Forgets everything pooled so far.
  void start() noexcept {
    columns_ = 0.0F;
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      V(0.0F).store_aligned(sum_ + i);
      V(0.0F).store_aligned(carry_ + i);
      V(-std::numeric_limits<float>::infinity()).store_aligned(maximum_ + i);
      V(0.0F).store_aligned(squares_ + i);
    }
  }

  /// Sums, maxima and (or null) sums of squared distances from the mean, of vector `i / lanes` over `count` columns.
  BYTECNN_INLINE void add_totals(std::size_t i, V sum, V maximum, V squares, float count) noexcept {
    const V total = load<Arch>(sum_ + i);
    if (with_variance() && columns_ > 0) {
      const V distance = sum / V(count) - total / V(columns_);
      squares += distance * distance * V(count * columns_ / (count + columns_));
    }
    (load<Arch>(squares_ + i) + squares).store_aligned(squares_ + i);
    const V corrected = sum - load<Arch>(carry_ + i);
    const V next = total + corrected;
    ((next - total) - corrected).store_aligned(carry_ + i);
    next.store_aligned(sum_ + i);
    xsimd::max(load<Arch>(maximum_ + i), maximum).store_aligned(maximum_ + i);
  }

  /// After `add_totals` of every vector.
  BYTECNN_INLINE void advance(float count) noexcept { columns_ += count; }

  void add_columns(const float* columns, std::int64_t count) noexcept {
    for (std::int64_t done = 0; done < count; done += sum_columns) {
      const std::int64_t part = count - done < sum_columns ? count - done : sum_columns;
      const float* first = columns + static_cast<std::size_t>(done) * width_;
      std::size_t i = 0;
      for (; i + 4 * lanes<Arch> <= width_; i += 4 * lanes<Arch>) add_part<4>(first + i, part, i);
      for (; i < width_; i += lanes<Arch>) add_part<1>(first + i, part, i);
      advance(static_cast<float>(part));
    }
  }

  /// The constant column `repeats` times, and the border's columns.
  void add_pad_run(const PadRun& run, std::int64_t repeats) noexcept {
    const auto count = static_cast<float>(repeats);
    const auto border = static_cast<float>(run.border_columns);
    if (!with_variance()) {  // in one sum, which is a step less to wait for
      for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
        const V sum = multiply_add<Arch>(load<Arch>(run.constant + i), V(count), load<Arch>(run.border_sum + i));
        add_totals(i, sum, load<Arch>(run.largest + i), V(0.0F), count + border);
      }
      return advance(count + border);
    }
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      const V constant = load<Arch>(run.constant + i);
      add_totals(i, constant * V(count), constant, V(0.0F), count);
    }
    advance(count);
    if (run.border_columns == 0) return;
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      add_totals(i, load<Arch>(run.border_sum + i), load<Arch>(run.largest + i), load<Arch>(run.border_squares + i),
                 border);
    }
    advance(border);
  }

  /// Writes the pooled features, channel by channel and part by part; what lies behind the last is finite.
  void finish(float* features) const noexcept {
    const V count(columns_);
    // Where parts are laid end to end, the last vector the head reads may reach behind the last part.
    for (std::size_t i = width_; i < 3 * width_; i += lanes<Arch>) V(0.0F).store_aligned(features + i);
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      const V average = load<Arch>(sum_ + i) / count;
      const V maximum = load<Arch>(maximum_ + i);
      switch (stage_.pooling) {
        case Pooling::max:
          maximum.store_aligned(features + i);
          break;
        case Pooling::avg_max:
          ((average + maximum) * V(0.5F)).store_aligned(features + i);
          break;
        default:
          average.store_aligned(features + i);
          break;
      }
    }
    if (stage_.pooling != Pooling::concat_avg_max && !with_variance()) return;
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      load<Arch>(maximum_ + i).store_unaligned(features + stage_.channels + i);
    }
    if (!with_variance()) return;
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      const V variance = load<Arch>(squares_ + i) / (count - V(1.0F));
      xsimd::sqrt(variance + V(1e-5F)).store_unaligned(features + 2 * std::size_t{stage_.channels} + i);
    }
  }

  static constexpr std::uint32_t memory_columns = 4;

 private:
  /// Totals of Vectors vectors over `count` columns. Several sums run side by side, or their latency would be the
  /// bound.
  template <std::size_t Vectors>
  BYTECNN_INLINE void add_part(const float* first, std::int64_t count, std::size_t at) noexcept {
    constexpr std::int64_t chains = Vectors == 1 ? 2 : 1;
    V sums[Vectors * 2];
    V maxima[Vectors * 2];
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors * 2; ++v) {
      sums[v] = V(0.0F);
      maxima[v] = V(-std::numeric_limits<float>::infinity());
    }
    const float* column = first;
    std::int64_t p = 0;
    for (; p + chains <= count; p += chains) {
#pragma GCC unroll 4
      for (std::size_t c = 0; c < static_cast<std::size_t>(chains); ++c, column += width_) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
          const V x = load<Arch>(column + v * lanes<Arch>);
          sums[c * Vectors + v] += x;
          maxima[c * Vectors + v] = xsimd::max(maxima[c * Vectors + v], x);
        }
      }
    }
    if (p < count) {  // only with two chains of one vector
      const V x = load<Arch>(column);
      sums[0] += x;
      maxima[0] = xsimd::max(maxima[0], x);
    }
    if constexpr (chains == 2) {
      sums[0] += sums[1];
      maxima[0] = xsimd::max(maxima[0], maxima[1]);
    }
#pragma GCC unroll 4
    for (std::size_t v = 0; v < Vectors; ++v) {
      V squares(0.0F);
      if (with_variance()) {
        const V mean = sums[v] / V(static_cast<float>(count));
        for (std::int64_t q = 0; q < count; ++q) {
          const V distance = load<Arch>(first + static_cast<std::size_t>(q) * width_ + v * lanes<Arch>) - mean;
          squares += distance * distance;
        }
      }
      add_totals(at + v * lanes<Arch>, sums[v], maxima[v], squares, static_cast<float>(count));
    }
  }

  [[nodiscard]] BYTECNN_INLINE bool with_variance() const {
    return stage_.pooling == Pooling::concat_avg_max_std;
  }

  const PoolStage& stage_;
  std::size_t width_;
  float* sum_;
  float* carry_;
  float* maximum_;
  float* squares_;
  float columns_ = 0.0F;
};

}  // namespace bytecnn::kernels
