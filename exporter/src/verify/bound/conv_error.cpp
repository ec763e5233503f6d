#include "verify/bound/conv_error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "verify/bound/activation_error.hpp"
#include "verify/bound/outward.hpp"

namespace bytecnn::exporter {
namespace {

/// One filter's weights, tap by tap: [kernel_size][channels of its group].
struct Taps {
  std::size_t first_channel = 0;
  std::size_t channels = 0;
  std::vector<double> exact, exported, deviation;

  [[nodiscard]] std::span<const double> tap(const std::vector<double>& values, std::size_t k) const {
    return std::span(values).subspan(k * channels, channels);
  }
};

Taps taps_of(const ConvBlock& block, const std::vector<double>& deviation, std::size_t filter, std::size_t inputs) {
  const ConvLayer& layer = block.layer;
  Taps taps;
  taps.channels = inputs / layer.groups;
  taps.first_channel = filter / (layer.filters / layer.groups) * taps.channels;
  const std::size_t kernel = layer.kernel_size;
  taps.exact.resize(kernel * taps.channels);
  taps.exported.resize(kernel * taps.channels);
  taps.deviation.resize(kernel * taps.channels);
  for (std::size_t c = 0; c < taps.channels; ++c) {
    for (std::size_t k = 0; k < kernel; ++k) {
      const std::size_t from = (filter * taps.channels + c) * kernel + k;
      const std::size_t to = k * taps.channels + c;
      taps.exact[to] = block.exact.weight.value[from];
      taps.exported[to] = static_cast<double>(block.exported.weight[from]);
      taps.deviation[to] = deviation[from];
    }
  }
  return taps;
}

/// sum over channels of a[c] e[c].
double weighted(std::span<const double> a, const std::vector<double>& e, std::size_t first) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += std::abs(a[c]) * e[first + c];
  return sum;
}

/// Range of one filter's sum in the original.
Interval sum_range(const ConvBlock& block, const Taps& taps, const ColumnBounds& input, std::size_t filter) {
  const bool padded = block.layer.pad_left + block.layer.pad_right != 0;
  Interval range{block.exact.bias.value[filter], block.exact.bias.value[filter]};
  double sizes = std::abs(range.low);
  std::vector<double> negated(taps.channels);
  for (std::size_t k = 0; k < block.layer.kernel_size; ++k) {
    const auto w = taps.tap(taps.exact, k);
    std::transform(w.begin(), w.end(), negated.begin(), [](double x) { return -x; });
    double high = input.largest_signed_sum(w, taps.first_channel);
    double low = -input.largest_signed_sum(negated, taps.first_channel);
    if (padded) {
      high = std::max(high, 0.0);
      low = std::min(low, 0.0);
    }
    range.high += high;
    range.low += low;
    sizes += std::max(std::abs(high), std::abs(low));
  }
  return range.widened(own_rounding(sizes, block.layer.kernel_size) + block.exact.bias.uncertainty[filter] +
                       1e-14 * sizes);
}

/// Rounding of a sum of products in any order, with or without fused multiplication, and what the exported weights
/// differ from the exact ones by. Besides, |input| is known for the original, so the input's own error counts again.
double direct_error(const ConvBlock& block, const Taps& taps, const ColumnBounds& input, const Arithmetic& way,
                    std::size_t way_index, std::size_t filter) {
  const double roundings = static_cast<double>(taps.exported.size()) + 2;
  const double g = gamma(roundings, way.u);
  std::vector<double> a(taps.channels);
  double sum = 0;
  for (std::size_t k = 0; k < block.layer.kernel_size; ++k) {
    for (std::size_t c = 0; c < taps.channels; ++c) {
      const std::size_t i = k * taps.channels + c;
      a[c] = taps.deviation[i] + g * std::abs(taps.exported[i]);
    }
    sum += input.largest_sum(a, taps.first_channel) + weighted(a, input.error[way_index], taps.first_channel);
  }
  sum += g * std::abs(static_cast<double>(block.exported.bias[filter])) + roundings * smallest_float;
  return outward(sum, taps.exported.size());
}

/// What Winograd's algorithm adds on one channel of one filter: for each column j of a tile, the largest coefficient
/// over the tile's outputs of sum over points p of |A[i][p]| |B[p][j]| |filter[p] w|.
std::vector<double> winograd_coefficients(const WinogradTransform& t, const double* taps, std::size_t step) {
  const std::size_t points = t.points();
  std::array<double, WinogradTransform::max_points> product{};
  for (std::size_t p = 0; p < points; ++p) {
    double sum = 0;
    double sizes = 0;
    for (std::size_t k = 0; k < t.kernel; ++k) {
      sum += t.filter[p][k] * taps[k * step];
      sizes += std::abs(t.filter[p][k] * taps[k * step]);
    }
    product[p] = std::abs(sum) + own_rounding(sizes, 16);
  }
  // |B|: rows 0 and infinity share their coefficients, a pair's rows their even and odd halves.
  std::array<std::array<double, WinogradTransform::max_points>, WinogradTransform::max_points> b{};
  for (std::size_t i = 0; i <= t.pairs; ++i) {
    b[0][2 * i] = i == t.pairs ? 1.0 : std::abs(static_cast<double>(t.ends[i]));
    b[points - 1][2 * i + 1] = b[0][2 * i];
  }
  for (std::size_t j = 0; j < t.pairs; ++j) {
    for (std::size_t sign = 0; sign < 2; ++sign) {
      auto& row = b[1 + 2 * j + sign];
      for (std::size_t i = 0; i < t.pairs; ++i) {
        row[2 * i + 2] = i + 1 == t.pairs ? 1.0 : std::abs(static_cast<double>(t.others[j][i]));
        row[2 * i + 1] = std::abs(static_cast<double>(t.point[j])) * row[2 * i + 2];
      }
    }
  }
  std::vector<double> largest(points, 0.0);
  for (std::size_t output = 0; output < t.outputs; ++output) {
    for (std::size_t column = 0; column < points; ++column) {
      double sum = output == 0 ? b[0][column] * product[0] : 0;
      if (output + 1 == t.outputs) sum += b[points - 1][column] * product[points - 1];
      for (std::size_t j = 0; j < t.pairs; ++j) {
        const double power = std::abs(static_cast<double>(t.powers[output / 2][j][output % 2]));
        sum += power * (b[1 + 2 * j][column] * product[1 + 2 * j] + b[2 + 2 * j][column] * product[2 + 2 * j]);
      }
      largest[column] = std::max(largest[column], sum);
    }
  }
  return largest;
}

double winograd_error(const ConvBlock& block, const Taps& taps, const ColumnBounds& input, const Arithmetic& way,
                      std::size_t way_index, std::size_t filter) {
  const WinogradTransform& t = way.winograd[block.index]->transform;
  const std::size_t points = t.points();
  // Input transform: two rounded coefficients, two products and pairs + 2 sums; the transformed weight; a product and
  // the sum over channels; output transform: the same again over all points; the bias.
  const double roundings =
      (t.pairs + 6.0) + 1 + (way.winograd[block.index]->sums + 1) + (static_cast<double>(points) + 3) + 1;
  const double g = gamma(roundings, way.u);
  std::vector<double> a(points * taps.channels);
  for (std::size_t c = 0; c < taps.channels; ++c) {
    const auto coefficients = winograd_coefficients(t, &taps.exported[c], taps.channels);
    for (std::size_t j = 0; j < points; ++j) a[j * taps.channels + c] = g * coefficients[j];
  }
  double sum = 0;
  for (std::size_t j = 0; j < points; ++j) {
    const auto column = std::span(a).subspan(j * taps.channels, taps.channels);
    sum += input.largest_sum(column, taps.first_channel) + weighted(column, input.error[way_index], taps.first_channel);
  }
  for (std::size_t k = 0; k < t.kernel; ++k) {
    const auto deviation = taps.tap(taps.deviation, k);
    sum += input.largest_sum(deviation, taps.first_channel) +
           weighted(deviation, input.error[way_index], taps.first_channel);
  }
  sum += g * std::abs(static_cast<double>(block.exported.bias[filter])) + roundings * smallest_float;
  return outward(sum, (points + t.kernel) * taps.channels * points);
}

/// The first layer by tables: each tap's row is rounded once, then kernel_size - 1 sums follow, in any order.
double table_error(const ConvBlock& block, const Taps& taps, const ColumnBounds& input, const Arithmetic& way,
                   std::size_t way_index, std::size_t filter, const SeparableColumns& parts, Interval range) {
  const std::size_t kernel = block.layer.kernel_size;
  double deviation = 0;
  std::vector<double> row(kernel, 0.0);
  for (std::size_t k = 0; k < kernel; ++k) {
    const auto w = taps.tap(taps.deviation, k);
    deviation += input.largest_sum(w, taps.first_channel) +
                 weighted(taps.tap(taps.exported, k), input.error[way_index], taps.first_channel);
    for (std::size_t t = 0; t < parts.tokens; ++t) {
      row[k] = std::max(row[k], std::abs(parts.part[(k * parts.tokens + t) * parts.channels + filter]));
    }
  }
  const double bias = std::abs(block.exact.bias.value[filter]);
  for (std::size_t k = 0; k < kernel; ++k) {
    // The parts share the bias; the tables hold it whole in tap 0.
    row[k] += bias * (k == 0 ? 1.0 : 1.0 / static_cast<double>(kernel)) + parts.uncertainty;
  }
  double rounding = 0;
  for (const double size : row) rounding += size;
  const double every = rounding + deviation;
  // Sums of the largest two, three, ... rows bound what is rounded; the last of them is the column itself.
  std::sort(row.begin(), row.end(), std::greater<>());
  double partial = row[0];
  for (std::size_t m = 1; m < kernel; ++m) {
    partial += row[m];
    rounding += m + 1 == kernel ? range.size() + deviation : partial + deviation;
  }
  // One ulp of roundoff squared: what is rounded carries earlier roundings already.
  const double k = static_cast<double>(kernel);
  const double sum = deviation + way.u * (rounding + way.u * (k + 1) * (k + 1) * every) + (k + 1) * smallest_float;
  return outward(sum + own_rounding(every, taps.exported.size()), kernel * 8);
}

}  // namespace

SeparableColumns first_layer_parts(const ConvBlock& block, const std::vector<double>& embedding, std::size_t embed_dim,
                                   const std::vector<std::size_t>& tokens) {
  const ConvLayer& layer = block.layer;
  SeparableColumns result;
  result.taps = layer.kernel_size;
  result.tokens = tokens.size() + 1;
  result.channels = layer.filters;
  result.activation = layer.activation;
  result.part.resize(result.taps * result.tokens * result.channels);
  const std::size_t group_inputs = embed_dim / layer.groups;
  double largest = 0;
  for (std::size_t k = 0; k < result.taps; ++k) {
    for (std::size_t t = 0; t < result.tokens; ++t) {
      for (std::size_t f = 0; f < layer.filters; ++f) {
        const double bias = block.exact.bias.value[f] / layer.kernel_size;
        double sum = bias;
        double sizes = std::abs(bias);
        const std::size_t first = f / (layer.filters / layer.groups) * group_inputs;
        for (std::size_t d = 0; t < tokens.size() && d < group_inputs; ++d) {
          const double product = block.exact.weight.value[(f * group_inputs + d) * layer.kernel_size + k] *
                                 embedding[tokens[t] * embed_dim + first + d];
          sum += product;
          sizes += std::abs(product);
        }
        result.part[(k * result.tokens + t) * result.channels + f] = sum;
        largest = std::max(largest, sizes);
      }
    }
  }
  // Folding has rounded weights and bias as well.
  result.uncertainty = own_rounding(largest, group_inputs + 8);
  return result;
}

ColumnBounds through(const ConvBlock& block, const ColumnBounds& input, const std::vector<Arithmetic>& ways,
                     const SeparableColumns* parts, const KnownSumErrors* known) {
  const ConvLayer& layer = block.layer;
  const ConvWeights& exported = block.exported;
  const std::vector<double> weight_deviation = deviations(block.exact.weight, exported.weight);
  const std::vector<double> bias_deviation = deviations(block.exact.bias, exported.bias);
  const bool scaled = !exported.scale.empty();
  const std::vector<double> scale_deviation = deviations(block.exact.scale, exported.scale);
  const std::vector<double> shift_deviation = deviations(block.exact.shift, exported.shift);

  ColumnBounds output;
  output.range.resize(layer.filters);
  output.error.assign(ways.size(), std::vector<double>(layer.filters, 0.0));
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const Taps taps = taps_of(block, weight_deviation, f, input.channels());
    const Interval sum = sum_range(block, taps, input, f);
    Interval range = values(layer.activation, sum);
    const Interval activated = range;
    if (scaled) {
      const double s = block.exact.scale.value[f];
      const double t = block.exact.shift.value[f];
      const double low = std::min(s * range.low, s * range.high) + t;
      const double high = std::max(s * range.low, s * range.high) + t;
      range = Interval{low, high}.widened(own_rounding(std::abs(s) * range.size() + std::abs(t), 16));
    }
    const Interval before_residual = range;
    if (layer.residual) {
      range = {range.low + input.range[f].low, range.high + input.range[f].high};
      range = range.widened(own_rounding(range.size() + input.range[f].size(), 4));
    }
    output.range[f] = range;

    for (std::size_t w = 0; w < ways.size(); ++w) {
      const Arithmetic& way = ways[w];
      const double u = way.u;
      double error = 0;
      if (parts != nullptr && way.tables) {
        error = table_error(block, taps, input, way, w, f, *parts, sum);
      } else {
        error = way.winograd[block.index] ? winograd_error(block, taps, input, way, w, f)
                                          : direct_error(block, taps, input, way, w, f);
        for (std::size_t k = 0; k < layer.kernel_size; ++k) {
          error += weighted(taps.tap(taps.exported, k), input.error[w], taps.first_channel);
        }
      }
      error = outward(error + bias_deviation[f], taps.exported.size());
      if (known != nullptr && !known->after_relu) error = std::min(error, known->error[w][f]);
      const Interval reached = sum.widened(error);
      error = slopes(layer.activation, reached).size() * error + function_error(layer.activation, reached.size(), u);
      if (known != nullptr && known->after_relu) error = std::min(error, known->error[w][f]);
      if (scaled) {
        const double s = std::abs(static_cast<double>(exported.scale[f]));
        const double t = std::abs(static_cast<double>(exported.shift[f]));
        const double x = activated.size() + error;
        error = s * error + scale_deviation[f] * activated.size() + shift_deviation[f] + gamma(2, u) * (s * x + t);
      }
      if (layer.residual) {
        const double size = before_residual.size() + error + input.range[f].size() + input.error[w][f];
        error += input.error[w][f] + u * size;
      }
      output.error[w][f] = outward(error, 32);
    }
  }
  if (parts != nullptr && !scaled && !layer.residual) output.set_separable(*parts);
  return output;
}

}  // namespace bytecnn::exporter
