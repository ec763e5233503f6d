#pragma once
/// Winograd's short convolutions F(outputs, kernel): `outputs` adjacent columns from `points = outputs + kernel - 1`
/// products a channel instead of outputs * kernel. Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural
/// Networks", 2015; the matrices by the Toom-Cook construction over the points 0, +-p_1 ... +-p_q and infinity.
///
/// With M(x) = x (x^2 - p_1^2) ... (x^2 - p_q^2):
///   input     row of a finite point p: the coefficients of M(x) / (x - p); of infinity: those of M(x)
///   filter    row of a finite point p: p^k / product over the other points o of (p - o); of infinity: the last tap
///   output i  p^i for a finite point; for infinity 1 in the last output, else 0
/// The pairs +-p share their even and odd halves, in the input as in the output.

#include <array>
#include <cstddef>
#include <cstdint>

namespace bytecnn {

struct WinogradTransform {
  static constexpr std::size_t max_pairs = 3;
  static constexpr std::size_t max_outputs = 4;
  static constexpr std::size_t max_points = 2 * max_pairs + 2;
  static constexpr std::size_t max_kernel = 5;

  std::uint32_t pairs = 0;    ///< q
  std::uint32_t outputs = 0;  ///< columns a tile
  std::uint32_t kernel = 0;

  /// Point 0 from columns 0, 2, 4, ...; infinity from columns 1, 3, 5, ... with the same coefficients; the last is 1.
  float ends[max_pairs] = {};
  float point[max_pairs] = {};  ///< p_j
  /// Pair j: `even` of columns 2, 4, ... and `odd` of columns 1, 3, ... with the same coefficients, of which the last
  /// is 1; point +p is even + p odd, -p is even - p odd.
  float others[max_pairs][max_pairs] = {};
  /// (p_j^2h, p_j^(2h+1)): what outputs 2h and 2h + 1 take of pair j.
  float powers[max_outputs / 2][max_pairs][2] = {};
  /// Filter rows in double, in the order 0, +p_1, -p_1, ..., infinity: applied once, when a plan is built.
  double filter[max_points][max_kernel] = {};

  [[nodiscard]] std::uint32_t points() const noexcept { return 2 * pairs + 2; }
};

/// F(outputs, kernel) for (4, 3), (2, 3), (4, 5) and (2, 5).
[[nodiscard]] WinogradTransform make_winograd_transform(std::uint32_t outputs, std::uint32_t kernel);

/// What a plan holds of one channel of one filter at a point: the row of `filter` times its taps, rounded once.
[[nodiscard]] float winograd_weight(const WinogradTransform& transform, std::size_t point, const float* taps);

}  // namespace bytecnn
