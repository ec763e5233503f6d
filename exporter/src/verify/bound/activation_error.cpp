#include "verify/bound/activation_error.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace bytecnn::exporter {
namespace {

using Kind = Activation::Kind;

// gelu'(x) = Phi(x) + x phi(x) is largest and smallest at x = +-sqrt 2; silu' at +-2.3994. gelu is smallest at
// -0.75179, silu at -1.27846. All rounded outward.
constexpr double gelu_steepest = 1.1289043;
constexpr double gelu_smallest = -0.1699713;
constexpr double gelu_turn = -0.7517916;
constexpr double silu_steepest = 1.0998395;
constexpr double silu_smallest = -0.2784646;
constexpr double silu_turn = -1.2784645;
constexpr double own_function_error = 0x1p-48;  // of this file's own libm calls, relative to max(1, |x|)

double evaluate(Kind kind, double x) {
  switch (kind) {
    case Kind::gelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Kind::silu:
      return x / (1 + std::exp(-x));
    case Kind::tanh:
      return std::tanh(x);
    case Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
    default:
      return x;
  }
}

Interval monotone_pieces(Kind kind, Interval input, double turn, double smallest) {
  const double a = evaluate(kind, input.low);
  const double b = evaluate(kind, input.high);
  const bool turns = input.low <= turn + 1e-6 && input.high >= turn - 1e-6;
  return {turns ? smallest : std::min(a, b), std::max(a, b)};
}

}  // namespace

Interval slopes(const Activation& activation, Interval input) noexcept {
  switch (activation.kind) {
    case Kind::none:
      return {1, 1};
    case Kind::relu:
      return {input.low > 0 ? 1.0 : 0.0, input.high > 0 ? 1.0 : 0.0};
    case Kind::leaky_relu: {
      const auto slope = static_cast<double>(activation.slope);
      if (input.low > 0) return {1, 1};
      if (input.high <= 0) return {slope, slope};
      return {std::min(1.0, slope), std::max(1.0, slope)};
    }
    case Kind::gelu:
      return {1 - gelu_steepest, gelu_steepest};
    case Kind::silu:
      return {1 - silu_steepest, silu_steepest};
    case Kind::tanh:
      return {0, 1};
    case Kind::sigmoid:
      return {0, 0.25};
  }
  return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
}

Interval values(const Activation& activation, Interval input) noexcept {
  const double slack = own_function_error * std::max(1.0, input.size());
  switch (activation.kind) {
    case Kind::none:
      return input;
    case Kind::relu:
      return {std::max(input.low, 0.0), std::max(input.high, 0.0)};
    case Kind::leaky_relu: {
      const auto slope = static_cast<double>(activation.slope);
      const auto at = [slope](double x) { return x > 0 ? x : x * slope; };
      Interval result{std::min(at(input.low), at(input.high)), std::max(at(input.low), at(input.high))};
      if (input.low < 0 && input.high > 0) result = {std::min(result.low, 0.0), std::max(result.high, 0.0)};
      return result.widened(slack);
    }
    case Kind::gelu:
      return monotone_pieces(Kind::gelu, input, gelu_turn, gelu_smallest).widened(slack);
    case Kind::silu:
      return monotone_pieces(Kind::silu, input, silu_turn, silu_smallest).widened(slack);
    case Kind::tanh:
    case Kind::sigmoid:
      return Interval{evaluate(activation.kind, input.low), evaluate(activation.kind, input.high)}.widened(slack);
  }
  return input;
}

double function_error(const Activation& activation, double size, double u) noexcept {
  switch (activation.kind) {
    case Kind::none:
    case Kind::relu:
      return 0;
    case Kind::leaky_relu:
      return u * std::abs(static_cast<double>(activation.slope)) * size;
    case Kind::gelu:
    case Kind::silu:
      return 8 * u * std::max(1.0, size);
    case Kind::tanh:
    case Kind::sigmoid:
      return 8 * u;
  }
  return std::numeric_limits<double>::infinity();
}

double gain(const Activation& activation) noexcept {
  switch (activation.kind) {
    case Kind::sigmoid:
      return std::numeric_limits<double>::infinity();
    case Kind::leaky_relu:
      return std::max(1.0, std::abs(static_cast<double>(activation.slope)));
    default:
      return 1;
  }
}

}  // namespace bytecnn::exporter
