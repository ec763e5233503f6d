#include "winograd.hpp"

#include <cmath>
#include <span>
#include <vector>

namespace bytecnn {
namespace {

/// Points that keep the rounding error small; of equal error among those tried are many.
std::vector<double> pair_points(std::uint32_t pairs) {
  if (pairs == 1) return {1.0};
  if (pairs == 2) return {0.625, 1.5};
  return {0.5, 1.0, 1.75};
}

/// Coefficients in x^2 of the product over `roots` of (x^2 - root^2), lowest first.
std::vector<double> even_polynomial(std::span<const double> roots) {
  std::vector<double> coefficients = {1.0};
  for (const double root : roots) {
    std::vector<double> next(coefficients.size() + 1, 0.0);
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      next[i + 1] += coefficients[i];
      next[i] -= coefficients[i] * root * root;
    }
    coefficients = next;
  }
  return coefficients;
}

}  // namespace

WinogradTransform make_winograd_transform(std::uint32_t outputs, std::uint32_t kernel) {
  WinogradTransform t;
  t.outputs = outputs;
  t.kernel = kernel;
  t.pairs = (outputs + kernel - 3) / 2;
  const std::vector<double> pairs = pair_points(t.pairs);

  const std::vector<double> ends = even_polynomial(pairs);
  for (std::size_t i = 0; i < t.pairs; ++i) t.ends[i] = static_cast<float>(ends[i]);
  for (std::size_t j = 0; j < t.pairs; ++j) {
    std::vector<double> others = pairs;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(j));
    const std::vector<double> coefficients = even_polynomial(others);
    t.point[j] = static_cast<float>(pairs[j]);
    for (std::size_t i = 0; i + 1 < t.pairs; ++i) t.others[j][i] = static_cast<float>(coefficients[i]);
    for (std::size_t i = 0; i < outputs; ++i) {
      t.powers[i / 2][j][i % 2] = static_cast<float>(std::pow(pairs[j], static_cast<double>(i)));
    }
  }

  std::vector<double> points = {0.0};
  for (const double point : pairs) {
    points.push_back(point);
    points.push_back(-point);
  }
  for (std::size_t p = 0; p < points.size(); ++p) {
    double divisor = 1;
    for (std::size_t o = 0; o < points.size(); ++o) divisor *= o == p ? 1.0 : points[p] - points[o];
    for (std::size_t k = 0; k < kernel; ++k) {
      t.filter[p][k] = (k == 0 ? 1.0 : std::pow(points[p], static_cast<double>(k))) / divisor;
    }
  }
  t.filter[points.size()][kernel - 1] = 1.0;
  return t;
}

float winograd_weight(const WinogradTransform& transform, std::size_t point, const float* taps) {
  double sum = 0;
  for (std::size_t k = 0; k < transform.kernel; ++k) sum += transform.filter[point][k] * static_cast<double>(taps[k]);
  return static_cast<float>(sum);
}

}  // namespace bytecnn
