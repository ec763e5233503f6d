#include "verify/bound/conv_error.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "verify/bound/activation_error.hpp"
#include "verify/bound/outward.hpp"
#include "verify/bound/winograd_error.hpp"

namespace bytecnn::exporter {
namespace {

FilterTaps taps_of(const ConvBlock& block, std::size_t filter, std::size_t inputs) {
  const ConvLayer& layer = block.layer;
  FilterTaps taps;
  taps.filter = filter;
  taps.channels = inputs / layer.groups;
  taps.first_channel = filter / (layer.filters / layer.groups) * taps.channels;
  taps.kernel = layer.kernel_size;
  taps.exact.resize(taps.kernel * taps.channels);
  taps.exported.resize(taps.exact.size());
  taps.deviation.resize(taps.exact.size());
  taps.uncertainty.resize(taps.exact.size());
  for (std::size_t c = 0; c < taps.channels; ++c) {
    for (std::size_t k = 0; k < taps.kernel; ++k) {
      const std::size_t from = (filter * taps.channels + c) * taps.kernel + k;
      const std::size_t to = k * taps.channels + c;
      taps.exact[to] = block.exact.weight.value[from];
      taps.exported[to] = static_cast<double>(block.exported.weight[from]);
      taps.deviation[to] = taps.exported[to] - taps.exact[to];
      taps.uncertainty[to] =
          outward(block.exact.weight.uncertainty[from], 1) + double_roundoff * std::abs(taps.deviation[to]);
    }
  }
  return taps;
}

/// sum over channels of |a[c]| e[c].
double weighted(std::span<const double> a, const std::vector<double>& e, std::size_t first) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += std::abs(a[c]) * e[first + c];
  return sum;
}

/// Range of one filter's sum in the original.
Interval sum_range(const ConvBlock& block, const FilterTaps& taps, const ColumnBounds& input, std::size_t filter) {
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

/// sup over all windows, and over all subsets of the terms, of |sum of w x|: of every partial sum, whatever the order.
double largest_partial_sum(const FilterTaps& taps, const ColumnBounds& input) {
  double high = 0;
  double low = 0;
  std::vector<double> positive(taps.channels);
  std::vector<double> negative(taps.channels);
  for (std::size_t k = 0; k < taps.kernel; ++k) {
    const auto w = taps.tap(taps.exported, k);
    for (std::size_t c = 0; c < taps.channels; ++c) {
      const Interval& x = input.range[taps.first_channel + c];
      positive[c] = (w[c] > 0 ? x.high > 0 : x.low < 0) ? std::abs(w[c]) : 0;
      negative[c] = (w[c] > 0 ? x.low < 0 : x.high > 0) ? std::abs(w[c]) : 0;
    }
    high += input.largest_sum(positive, taps.first_channel);
    low += input.largest_sum(negative, taps.first_channel);
  }
  return std::max(high, low);
}

/// What the exported weights differ from the exact ones by, on the original's columns: known numbers.
double deviation_error(const FilterTaps& taps, const ColumnBounds& input) {
  double high = 0;
  double low = 0;
  double uncertain = 0;
  std::vector<double> negated(taps.channels);
  for (std::size_t k = 0; k < taps.kernel; ++k) {
    const auto d = taps.tap(taps.deviation, k);
    std::transform(d.begin(), d.end(), negated.begin(), [](double x) { return -x; });
    high += std::max(input.largest_signed_sum(d, taps.first_channel), 0.0);
    low += std::max(input.largest_signed_sum(negated, taps.first_channel), 0.0);
    uncertain += input.largest_sum(taps.tap(taps.uncertainty, k), taps.first_channel);
  }
  return std::max(high, low) + uncertain;
}

/// Rounding of a sum of products in any order, with or without fused multiplication, and what the exported weights
/// differ from the exact ones by. Besides, |input| is known for the original, so the input's own error counts again.
OwnError direct_error(const ConvBlock& block, const FilterTaps& taps, const ColumnBounds& input, const Arithmetic& way,
                      std::size_t way_index) {
  const double roundings = static_cast<double>(taps.exported.size()) + 2;
  const double g = gamma(roundings, way.u);
  const auto& error = input.error[way_index];
  const double bias = std::abs(static_cast<double>(block.exported.bias[taps.filter]));
  std::vector<double> magnitude(taps.channels);
  double sizes = bias;
  double arrived = 0;
  double deviated = 0;
  for (std::size_t k = 0; k < taps.kernel; ++k) {
    const auto w = taps.tap(taps.exported, k);
    std::transform(w.begin(), w.end(), magnitude.begin(), [](double x) { return std::abs(x); });
    sizes += input.largest_sum(magnitude, taps.first_channel);
    arrived += weighted(w, error, taps.first_channel);
    deviated += weighted(taps.tap(taps.deviation, k), error, taps.first_channel);
  }
  // To first order each product rounds itself, and each sum what it has summed: a partial sum, in any order. All that
  // several roundings do to one another is below n u gamma_n.
  const double n = static_cast<double>(taps.exported.size());
  const double partial = largest_partial_sum(taps, input) + bias;
  const double first_order = std::min(sizes + n * partial, (n + 1) * sizes);
  const double rest =
      deviation_error(taps, input) + deviated + roundings * way.u * g * sizes + g * arrived + (n + 1) * smallest_float;
  OwnError result;
  result.known = outward(rest, 4 * taps.exported.size());
  result.bound = outward(rest + way.u * first_order, 4 * taps.exported.size());
  result.squares = n * partial * partial + bias * bias;
  for (std::size_t i = 0; i < taps.exported.size(); ++i) {
    const std::size_t c = taps.first_channel + i % taps.channels;
    result.squares += std::pow(taps.exported[i] * (input.range[c].size() + error[c]), 2);
  }
  return result;
}

/// The first layer by tables: each tap's row is rounded once, then kernel_size - 1 sums follow, in any order.
OwnError table_error(const ConvBlock& block, const FilterTaps& taps, const ColumnBounds& input, const Arithmetic& way,
                     std::size_t way_index, std::size_t filter, const SeparableColumns& parts, Interval range) {
  const std::size_t kernel = block.layer.kernel_size;
  double deviation = deviation_error(taps, input);
  double arrived = 0;
  std::vector<double> row(kernel, 0.0);
  for (std::size_t k = 0; k < kernel; ++k) {
    arrived += weighted(taps.tap(taps.exported, k), input.error[way_index], taps.first_channel);
    for (std::size_t t = 0; t < parts.tokens; ++t) {
      row[k] = std::max(row[k], std::abs(parts.part[(k * parts.tokens + t) * parts.channels + filter]));
    }
  }
  const double bias = std::abs(block.exact.bias.value[filter]);
  for (std::size_t k = 0; k < kernel; ++k) {
    // The parts share the bias; the tables hold it whole in tap 0.
    row[k] += bias * (k == 0 ? 1.0 : 1.0 / static_cast<double>(kernel)) + parts.uncertainty;
  }
  double rows = 0;
  for (const double size : row) rows += size;
  deviation += arrived;
  const double every = rows + deviation;
  // Sums of the largest two, three, ... rows bound what is rounded; the last of them is the column itself.
  std::sort(row.begin(), row.end(), std::greater<>());
  double partial = row[0];
  double sums = 0;
  OwnError result;
  for (std::size_t m = 1; m < kernel; ++m) {
    partial += row[m];
    const double sum = m + 1 == kernel ? range.size() + deviation : partial + deviation;
    sums += sum;
    result.squares += sum * sum;
  }
  // One ulp of roundoff squared: what is rounded carries earlier roundings already.
  const double k = static_cast<double>(kernel);
  const double rest = deviation + way.u * (rows + way.u * (k + 1) * (k + 1) * every) + (k + 1) * smallest_float +
                      own_rounding(every, taps.exported.size());
  result.known = outward(rest - arrived, kernel * 8);
  result.bound = outward(rest + way.u * sums, kernel * 8);
  return result;
}

/// A sum's errors behind a function of slope at most `slope`, which adds `known` itself.
OwnError through_function(OwnError own, double slope, double known) {
  own.known = slope * own.known + known;
  own.squares *= slope * slope;
  for (double& shared : own.shared) shared *= slope;
  return own;
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

ThroughBlock through(const ConvBlock& block, const ColumnBounds& input, const std::vector<Arithmetic>& ways,
                     const SeparableColumns* parts, const KnownSumErrors* known) {
  const ConvLayer& layer = block.layer;
  const ConvWeights& exported = block.exported;
  const std::vector<double> bias_deviation = deviations(block.exact.bias, exported.bias);
  const bool scaled = !exported.scale.empty();
  const std::vector<double> scale_deviation = deviations(block.exact.scale, exported.scale);
  const std::vector<double> shift_deviation = deviations(block.exact.shift, exported.shift);

  std::vector<OwnErrors> owns(ways.size());
  ColumnBounds output;
  output.range.resize(layer.filters);
  output.error.assign(ways.size(), std::vector<double>(layer.filters, 0.0));
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const FilterTaps taps = taps_of(block, f, input.channels());
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
      const bool tables = parts != nullptr && way.tables;
      OwnError own = tables ? table_error(block, taps, input, way, w, f, *parts, sum)
                     : way.winograd[block.index]
                         ? winograd_error(*way.winograd[block.index], taps, exported.bias[f], input, input.error[w], u)
                         : direct_error(block, taps, input, way, w);
      double error = own.bound;
      for (std::size_t k = 0; !tables && k < layer.kernel_size; ++k) {
        error += weighted(taps.tap(taps.exported, k), input.error[w], taps.first_channel);
      }
      error = outward(error + bias_deviation[f], taps.exported.size());
      if (known != nullptr && !known->after_relu) error = std::min(error, known->error[w][f]);
      const Interval reached = sum.widened(error);
      const double slope = slopes(layer.activation, reached).size();
      const double function = function_error(layer.activation, reached.size(), u);
      error = slope * error + function;
      own = through_function(std::move(own), slope, slope * bias_deviation[f] + function);
      double gain = slope;
      if (known != nullptr && known->after_relu) error = std::min(error, known->error[w][f]);
      if (scaled) {
        const double s = std::abs(static_cast<double>(exported.scale[f]));
        const double t = std::abs(static_cast<double>(exported.shift[f]));
        const double x = activated.size() + error;
        const double deviation = scale_deviation[f] * activated.size() + shift_deviation[f];
        error = s * error + deviation + gamma(2, u) * (s * x + t);
        own = through_function(std::move(own), s, deviation + u * gamma(2, u) * 2 * (s * x + t));
        own.squares += s * x * s * x + (s * x + t) * (s * x + t);
        gain *= s;
      }
      if (layer.residual) {
        const double size = before_residual.size() + error + input.range[f].size() + input.error[w][f];
        error += input.error[w][f] + u * size;
        own.squares += size * size;
      }
      output.error[w][f] = outward(error, 32);
      owns[w].channels.push_back(std::move(own));
      owns[w].gain.push_back(gain);
    }
  }
  if (parts != nullptr && !scaled && !layer.residual) output.set_separable(*parts);
  return {std::move(output), std::move(owns)};
}

}  // namespace bytecnn::exporter
