#include "verify/bound/winograd_error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "verify/bound/outward.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t max_points = WinogradTransform::max_points;
constexpr std::size_t max_outputs = WinogradTransform::max_outputs;

/// y = A^T [(G w) (B^T d)] as the engine computes it: A and B, and how many roundings a column's term goes through in
/// the input transform, and a point's in the output transform, with or without fused multiplication.
struct Matrices {
  std::array<std::array<double, max_points>, max_points> input{};          ///< B^T: [point][column]
  std::array<std::array<double, max_points>, max_points> input_rounded{};  ///< roundings of input[point][column]
  std::array<std::array<double, max_points>, max_outputs> output{};        ///< A^T: [output][point]
  std::array<double, max_points> output_rounded{};
};

Matrices matrices(const WinogradTransform& t) {
  const std::size_t points = t.points();
  const double pairs = t.pairs;
  Matrices m;
  // Points 0 and infinity: a product for each column but the last, and `pairs` sums.
  for (std::size_t i = 0; i <= t.pairs; ++i) {
    m.input[0][2 * i] = i == t.pairs ? 1.0 : static_cast<double>(t.ends[i]);
    m.input[points - 1][2 * i + 1] = m.input[0][2 * i];
    m.input_rounded[0][2 * i] = m.input_rounded[points - 1][2 * i + 1] = pairs + 1;
  }
  m.output[0][0] = 1;
  m.output[t.outputs - 1][points - 1] = 1;
  m.output_rounded[0] = m.output_rounded[points - 1] = pairs + 1;
  // A pair: the even and the odd half each a product and pairs - 1 sums; the odd one times the point; their sum.
  for (std::size_t j = 0; j < t.pairs; ++j) {
    for (std::size_t sign = 0; sign < 2; ++sign) {
      const std::size_t point = 1 + 2 * j + sign;
      auto& row = m.input[point];
      for (std::size_t i = 0; i < t.pairs; ++i) {
        row[2 * i + 2] = i + 1 == t.pairs ? 1.0 : static_cast<double>(t.others[j][i]);
        row[2 * i + 1] = (sign == 0 ? 1 : -1) * static_cast<double>(t.point[j]) * row[2 * i + 2];
        m.input_rounded[point][2 * i + 2] = pairs + 1;
        m.input_rounded[point][2 * i + 1] = pairs + 2;
      }
      for (std::size_t output = 0; output < t.outputs; ++output) {
        const auto power = static_cast<double>(t.powers[output / 2][j][output % 2]);
        m.output[output][point] = sign == 1 && output % 2 == 1 ? -power : power;
      }
      // Sum or difference of the pair, the product, and the sums of this pair and those behind it.
      m.output_rounded[point] = 2 + pairs - static_cast<double>(j);
    }
  }
  return m;
}

/// Coefficients of the input's columns: [column][channel].
struct Coefficients {
  std::size_t channels = 0;
  std::vector<double> values;
  Coefficients(std::size_t columns, std::size_t width) : channels(width), values(columns * width, 0.0) {}
  double& at(std::size_t column, std::size_t channel) { return values[column * channels + channel]; }
  [[nodiscard]] std::span<const double> column(std::size_t j) const {
    return std::span(values).subspan(j * channels, channels);
  }
};

double largest_sum(const Coefficients& a, const ColumnBounds& input, std::size_t first) {
  double sum = 0;
  for (std::size_t j = 0; j < a.values.size() / a.channels; ++j) sum += input.largest_sum(a.column(j), first);
  return sum;
}

double times_error(const Coefficients& a, const std::vector<double>& error, std::size_t first) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) sum += a.values[i] * error[first + i % a.channels];
  return sum;
}

/// sup of |sum over columns of b[j] s_j| where -negative <= s_j <= positive for each column by itself.
double largest_transformed(std::span<const double> b, double positive, double negative) {
  double high = 0;
  double low = 0;
  for (const double coefficient : b) {
    high += coefficient > 0 ? coefficient * positive : -coefficient * negative;
    low += coefficient > 0 ? coefficient * negative : -coefficient * positive;
  }
  return std::max(high, low);
}

/// Squares of the roundings of x_0 + sum of b[i] x_i, one product and one sum after the other, each x in `x`.
double chain_squares(std::span<const float> b, Interval x) {
  Interval sum = x;
  double squares = 0;
  for (const float coefficient : b) {
    const auto f = static_cast<double>(coefficient);
    const Interval product{std::min(f * x.low, f * x.high), std::max(f * x.low, f * x.high)};
    sum = {sum.low + product.low, sum.high + product.high};
    squares += std::pow(product.size(), 2) + std::pow(sum.size(), 2);
  }
  return squares;
}

/// The input transform's roundings, to first order in units of u: what the filter's outputs take of each. All filters
/// share them. For each channel: points 0 and infinity; for each pair the even half, the odd half, and both points.
std::vector<double> transform_roundings(const WinogradTransform& t, const Matrices& m,
                                        const std::vector<double>& weights, std::size_t channels,
                                        const std::vector<Interval>& columns) {
  const std::size_t points = t.points();
  std::vector<double> shared;
  for (std::size_t c = 0; c < channels; ++c) {
    const Interval& x = columns[c];
    const auto weight = [&](std::size_t point) { return weights[point * channels + c]; };
    const double ends = std::sqrt(chain_squares(std::span(t.ends).first(t.pairs), x));
    shared.push_back(ends * std::abs(weight(0)));
    shared.push_back(ends * std::abs(weight(points - 1)));
    for (std::size_t j = 0; j < t.pairs; ++j) {
      const auto point = static_cast<double>(t.point[j]);
      const double half = std::sqrt(chain_squares(std::span(t.others[j]).first(t.pairs - 1), x));
      const double plus = weight(1 + 2 * j);
      const double minus = weight(2 + 2 * j);
      const auto b = std::span<const double>(m.input[1 + 2 * j]).first(points);
      // The product of the odd half, and the sum.
      const double last = std::sqrt(2.0) * largest_transformed(b, x.high, -x.low);
      double even = 0;
      double odd = 0;
      double most = 0;
      for (std::size_t i = 0; i < t.outputs; ++i) {
        const double power = std::abs(m.output[i][1 + 2 * j]);
        const double sign = i % 2 == 0 ? 1 : -1;
        even = std::max(even, power * std::abs(plus + sign * minus));
        odd = std::max(odd, power * point * std::abs(plus - sign * minus));
        most = std::max(most, power);
      }
      shared.insert(shared.end(),
                    {half * even, half * odd, last * most * std::abs(plus), last * most * std::abs(minus)});
    }
  }
  return shared;
}

}  // namespace

OwnError winograd_error(const WinogradWay& way, const FilterTaps& taps, float bias, const ColumnBounds& input,
                        const std::vector<double>& error, double u) {
  const WinogradTransform& t = way.transform;
  const std::size_t points = t.points();
  const Matrices m = matrices(t);

  // The engine's own weights, and what the algorithm without a rounding would make of them against the exact filter:
  // known numbers, so that only the sign of the columns is open.
  std::vector<double> weights(points * taps.channels);
  std::vector<float> window(t.kernel);
  for (std::size_t c = 0; c < taps.channels; ++c) {
    for (std::size_t k = 0; k < t.kernel; ++k) window[k] = static_cast<float>(taps.exported[k * taps.channels + c]);
    for (std::size_t p = 0; p < points; ++p) {
      weights[p * taps.channels + c] = static_cast<double>(winograd_weight(t, p, window.data()));
    }
  }
  std::vector<Interval> columns;  // as they are computed, or zero outside the input
  for (std::size_t c = 0; c < taps.channels; ++c) {
    const Interval& range = input.range[taps.first_channel + c];
    columns.push_back(
        Interval{std::min(range.low, 0.0), std::max(range.high, 0.0)}.widened(error[taps.first_channel + c]));
  }
  OwnError result;
  result.shared = transform_roundings(t, m, weights, taps.channels, columns);
  double known = 0;
  double uncertain = 0;
  for (std::size_t i = 0; i < t.outputs; ++i) {
    double high = 0;
    double low = 0;
    double sizes = 0;
    for (std::size_t c = 0; c < taps.channels; ++c) {
      const Interval& x = columns[c];
      for (std::size_t j = 0; j < points; ++j) {
        double made = 0;
        double size = 0;
        for (std::size_t p = 0; p < points; ++p) {
          const double term = m.output[i][p] * weights[p * taps.channels + c] * m.input[p][j];
          made += term;
          size += std::abs(term);
        }
        const bool tap = j >= i && j - i < t.kernel;
        const std::size_t at = tap ? (j - i) * taps.channels + c : 0;
        const double d = made - (tap ? taps.exact[at] : 0.0);
        high += std::max(d * x.low, d * x.high);
        low += std::max(-d * x.low, -d * x.high);
        sizes += (own_rounding(size, points) + (tap ? taps.uncertainty[at] : 0.0)) * x.size();
      }
    }
    known = std::max({known, high, low});
    uncertain = std::max(uncertain, sizes);
  }

  // What rounds, to first order: each operation u times the number it makes, times what the output takes of it.
  // Transforms and products by counting; the sums over channels by the largest value of each partial sum.
  Coefficients counted(points, taps.channels);
  Coefficients whole(points, taps.channels);
  std::array<double, max_outputs> summed{};
  std::array<double, max_outputs> squares{};
  std::array<std::array<double, max_points>, max_outputs> made{};  ///< what each point gives to an output
  double underflows = 0;  // a product each in the output and a channel's sum, and what the weights take of the input's
  std::vector<double> negated(taps.channels);
  for (std::size_t p = 0; p < points; ++p) {
    const auto w = std::span<const double>(weights).subspan(p * taps.channels, taps.channels);
    double most = 0;
    for (std::size_t i = 0; i < t.outputs; ++i) most = std::max(most, std::abs(m.output[i][p]));
    underflows += 1 + most * static_cast<double>(taps.channels);
    for (std::size_t c = 0; c < taps.channels; ++c) {
      negated[c] = -w[c];
      underflows += most * std::abs(w[c]) * (t.pairs + 2.0) * (1 + static_cast<double>(t.point[t.pairs - 1]));
      for (std::size_t j = 0; j < points; ++j) {
        const double size = most * std::abs(w[c] * m.input[p][j]);
        whole.at(j, c) += size;
        counted.at(j, c) += size * (m.input_rounded[p][j] + 1);
      }
    }
    const PartialSums up = input.largest_partial_sums(w, taps.first_channel, way.chain);
    const PartialSums down = input.largest_partial_sums(negated, taps.first_channel, way.chain);
    const auto b = std::span<const double>(m.input[p]).first(points);
    double rounded = 0;
    double rounded_squares = 0;
    double total = 0;
    const auto add = [&](double sum) {
      rounded += sum;
      rounded_squares += sum * sum;
    };
    for (std::size_t k = 0; k < taps.channels; ++k) add(largest_transformed(b, up.chain[k], down.chain[k]));
    for (std::size_t k = 0; k < up.total.size(); ++k) {
      total = largest_transformed(b, up.total[k], down.total[k]);
      if (k > 0) add(total);
    }
    for (std::size_t c = 0; c < taps.channels; ++c) {
      const double transformed = largest_transformed(b, columns[c].high, -columns[c].low);
      rounded_squares += std::pow(w[c] * transformed, 2);  // the product
    }
    for (std::size_t i = 0; i < t.outputs; ++i) {
      const double taken = std::abs(m.output[i][p]);
      summed[i] += taken * (rounded + m.output_rounded[p] * total);
      squares[i] += taken * taken * rounded_squares;
      made[i][p] = taken * total;
    }
  }
  for (std::size_t i = 0; i < t.outputs; ++i) {
    double whole_sum = std::abs(static_cast<double>(bias)) + made[i][0] + made[i][points - 1];
    for (std::size_t j = 0; j < t.pairs; ++j) {
      const double both = made[i][1 + 2 * j] + made[i][2 + 2 * j];
      squares[i] += 2 * both * both;  // the pair's sum or difference, and its product
      whole_sum += both;
    }
    squares[i] += (t.pairs + 1.0) * whole_sum * whole_sum;
  }
  const double chains = std::ceil(static_cast<double>(taps.channels) / static_cast<double>(way.chain));
  const double bias_sums = t.pairs + 1.0;
  const double first_order = largest_sum(counted, input, taps.first_channel) +
                             *std::max_element(summed.begin(), summed.end()) +
                             bias_sums * std::abs(static_cast<double>(bias));
  // All that several roundings do to one another: (1 + u)^n - 1 - n u <= n u gamma_n. And the columns' own errors.
  const double n = (t.pairs + 3.0) + 1 + (static_cast<double>(way.chain) + chains) + (t.pairs + 3.0) + 1;
  const double sizes = largest_sum(whole, input, taps.first_channel) + times_error(whole, error, taps.first_channel) +
                       std::abs(static_cast<double>(bias));
  const double rest = known + uncertain + n * u * gamma(n, u) * sizes +
                      gamma(n, u) * times_error(whole, error, taps.first_channel) + underflows * smallest_float;
  const std::size_t terms = points * points * taps.channels;
  result.known = outward(rest, terms);
  result.bound = outward(rest + u * first_order, terms);
  result.squares = *std::max_element(squares.begin(), squares.end());
  return result;
}

}  // namespace bytecnn::exporter
