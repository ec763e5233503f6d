#pragma once
/// The analysis itself runs in double, so its own sums are widened until they are bounds.

#include <cstddef>
#include <limits>

namespace bytecnn::exporter {

inline constexpr double float_roundoff = 0x1p-24;   ///< u of float32, round to nearest
inline constexpr double double_roundoff = 0x1p-53;  ///< u of double
inline constexpr double smallest_float = 0x1p-149;  ///< what an underflow can lose in float32

/// An upper bound on a sum of `terms` non-negative numbers (each perhaps a product or two) that was computed in double.
[[nodiscard]] constexpr double outward(double sum, std::size_t terms) noexcept {
  return sum * (1 + (static_cast<double>(terms) + 8) * 2 * double_roundoff) + std::numeric_limits<double>::min();
}

/// What a signed sum of `terms` numbers computed in double can be off by, `sizes` being the sum of their sizes.
[[nodiscard]] constexpr double own_rounding(double sizes, std::size_t terms) noexcept {
  return (static_cast<double>(terms) + 8) * 2 * double_roundoff * sizes + std::numeric_limits<double>::min();
}

/// gamma_n = n u / (1 - n u): n roundings after one another (Higham, Accuracy and Stability of Numerical Algorithms,
/// lemma 3.1). Infinite where n u reaches 1.
[[nodiscard]] constexpr double gamma(double roundings, double u) noexcept {
  const double nu = roundings * u;
  return nu < 1 ? nu / (1 - nu) * (1 + 8 * double_roundoff) : std::numeric_limits<double>::infinity();
}

/// A closed interval that holds every value.
struct Interval {
  double low = 0;
  double high = 0;
  [[nodiscard]] double size() const noexcept { return -low > high ? -low : high; }
  [[nodiscard]] Interval widened(double by) const noexcept { return {low - by, high + by}; }
};

}  // namespace bytecnn::exporter
