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
      for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
        V sum = load<Arch>(first + i);
        V maximum = sum;
        for (std::int64_t p = 1; p < part; ++p) {
          const V x = load<Arch>(first + static_cast<std::size_t>(p) * width_ + i);
          sum += x;
          maximum = xsimd::max(maximum, x);
        }
        V squares(0.0F);
        if (with_variance()) {
          const V mean = sum / V(static_cast<float>(part));
          for (std::int64_t p = 0; p < part; ++p) {
            const V distance = load<Arch>(first + static_cast<std::size_t>(p) * width_ + i) - mean;
            squares += distance * distance;
          }
        }
        add_totals(i, sum, maximum, squares, static_cast<float>(part));
      }
      advance(static_cast<float>(part));
    }
  }

  /// The constant column `repeats` times, then the border's columns.
  void add_pad_run(const PadRun& run, std::int64_t repeats) noexcept {
    const auto count = static_cast<float>(repeats);
    for (std::size_t i = 0; i < width_; i += lanes<Arch>) {
      const V constant = load<Arch>(run.constant + i);
      add_totals(i, constant * V(count), constant, V(0.0F), count);
    }
    advance(count);
    if (run.border_columns == 0) return;
    const auto border = static_cast<float>(run.border_columns);
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
  [[nodiscard]] BYTECNN_INLINE bool with_variance() const { return stage_.pooling == Pooling::concat_avg_max_std; }

  const PoolStage& stage_;
  std::size_t width_;
  float* sum_;
  float* carry_;
  float* maximum_;
  float* squares_;
  float columns_ = 0.0F;
};

}  // namespace bytecnn::kernels
