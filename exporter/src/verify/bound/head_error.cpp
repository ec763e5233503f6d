#include "verify/bound/head_error.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>

#include "verify/bound/activation_error.hpp"
#include "verify/bound/exact_layers.hpp"

namespace bytecnn::exporter {
namespace {

/// Roundings of a compensated total: two of the compensated sum and one for its second order, one each for joining
/// halves, the run of padding (2), its multiplicity, the number of positions and its reciprocal, and the division.
constexpr double total_roundings = 10;

/// sum over m = 2 .. n of m, over n: rounding of a sum of n numbers of one size in any order, in u times that size,
/// a number.
constexpr double sum_roundings(double n) {
  return (n + 1) / 2;
}

/// What the average of values up to `size` is off by, relative to size.
double average_roundings(const Arithmetic& way, double positions) {
  const bool exact = way.u <= double_roundoff;  // the reference sums in order
  const double roundings = exact ? positions + 1 : sum_roundings(way.pooled_together) + total_roundings;
  return gamma(roundings, way.u);
}

/// Squares of the single roundings of an average of values of one size, in units of (u size)^2. A sum of n equal values
/// rounds 1, 2, ... n of them: n / 3 of its mean; all parts may round alike, as they do over equal columns. The
/// compensated total: its two roundings a part, alike as well, and the others one by one, generously.
double probable_average_roundings(const Arithmetic& way) {
  return (way.pooled_together + 3) / 3 + 16;
}

/// The deviation is |a|_2 / sqrt(n - 1) of a vector of distances from means, so it moves by no more than that vector,
/// whatever its size: a^2 + 1e-5 under a square root has a slope of at most 1, near 0 as well.
double deviation_error(const Arithmetic& way, double error, double size, double fewest, double most) {
  const double spread = std::sqrt(fewest / (fewest - 1));
  const double mean = average_roundings(way, most) + 2 * way.u;  // of a mean, and of a distance from it
  // Inside parts each distance is off by one mean; between parts, of weights that sum to at most n, by two.
  const double distances = std::sqrt(5.0) * mean * size;
  const double squares = gamma(most + 64, way.u) / 2;  // sums of squares have no cancellation
  const double largest = size * spread + std::sqrt(1e-5);
  return spread * (error + distances) + squares * largest + 4 * way.u * largest;
}

/// Rounding of a sum of products of at most these sizes, in any order, with or without fused multiplication. Every
/// addition rounds what it has summed, which is at most `largest`; the worst order of all adds the largest terms first.
/// Sorts `terms`.
OwnError sum_of_products_error(std::vector<double>& terms, double largest, double u) {
  std::sort(terms.begin(), terms.end(), std::greater<>());
  double all = 0;
  double rounded = 0;
  OwnError result;
  for (std::size_t i = 0; i < terms.size(); ++i) {
    all += terms[i];
    const double sum = i == 0 ? 0 : std::min(all, largest);
    rounded += terms[i] + sum;
    result.squares += terms[i] * terms[i] + sum * sum;
  }
  // To first order the sums are exact; what roundings do to one another is below n u gamma_n.
  const auto n = static_cast<double>(terms.size()) + 1;
  result.known = n * u * gamma(n, u) * all + n * smallest_float;
  result.bound = u * rounded + result.known;
  return result;
}

struct Dense {
  ExactTensor weight, bias;
  const DenseWeights* exported = nullptr;
  Activation activation;
  std::size_t inputs = 0;
  std::size_t units = 0;
};

Dense dense_of(const OriginalDense& original, const DenseWeights& exported, const Activation& activation) {
  Dense dense;
  dense.units = exported.bias.size();
  dense.inputs = exported.weight.size() / dense.units;
  dense.weight = {original.weight, std::vector<double>(original.weight.size(), 0.0)};
  dense.bias = exact_bias(original.bias, dense.units);
  dense.exported = &exported;
  dense.activation = activation;
  return dense;
}

/// What one layer adds by itself, and where its sums lie.
struct LayerErrors {
  std::vector<Interval> slopes;            ///< [units] of the activation, over original and export
  std::vector<std::vector<OwnError>> own;  ///< [ways][units]
};

/// One dense layer, forward; fills `errors`.
Features forward(const Dense& dense, const Features& input, const std::vector<Arithmetic>& ways, LayerErrors& errors) {
  const std::vector<double> weight_deviation = deviations(dense.weight, dense.exported->weight);
  const std::vector<double> bias_deviation = deviations(dense.bias, dense.exported->bias);
  Features output;
  output.range.resize(dense.units);
  output.error.assign(ways.size(), std::vector<double>(dense.units, 0.0));
  errors.own.assign(ways.size(), std::vector<OwnError>(dense.units));
  errors.slopes.resize(dense.units);
  std::vector<double> sum_error(ways.size());
  std::vector<double> terms;
  for (std::size_t j = 0; j < dense.units; ++j) {
    const double bias = dense.bias.value[j];
    Interval sum{bias, bias};
    double sizes = std::abs(bias);
    for (std::size_t i = 0; i < dense.inputs; ++i) {
      const double w = dense.weight.value[j * dense.inputs + i];
      const Interval& x = input.range[i];
      sum.low += std::min(w * x.low, w * x.high);
      sum.high += std::max(w * x.low, w * x.high);
      sizes += std::abs(w) * x.size();
    }
    sum = sum.widened(own_rounding(sizes, dense.inputs));
    double widest = 0;
    for (std::size_t k = 0; k < ways.size(); ++k) {
      double arrived = 0;
      double deviation = bias_deviation[j];
      const auto exported_bias = static_cast<double>(dense.exported->bias[j]);
      double positive = std::max(exported_bias, 0.0);
      double negative = std::max(-exported_bias, 0.0);
      terms.assign(1, std::abs(exported_bias));
      for (std::size_t i = 0; i < dense.inputs; ++i) {
        const auto w = static_cast<double>(dense.exported->weight[j * dense.inputs + i]);
        const double e = input.error[k][i];
        const double x = input.range[i].size() + e;
        const Interval term{w * (input.range[i].low - e), w * (input.range[i].high + e)};
        positive += std::max({term.low, term.high, 0.0});
        negative += std::max({-term.low, -term.high, 0.0});
        arrived += std::abs(dense.weight.value[j * dense.inputs + i]) * e;
        deviation += weight_deviation[j * dense.inputs + i] * x;
        terms.push_back(std::abs(w) * x);
      }
      OwnError own = sum_of_products_error(terms, outward(std::max(positive, negative), dense.inputs), ways[k].u);
      own.known += deviation;
      own.bound = outward(own.bound + deviation, 2 * dense.inputs);
      sum_error[k] = outward(arrived, dense.inputs) + own.bound;
      errors.own[k][j] = std::move(own);
      widest = std::max(widest, sum_error[k]);
    }
    const Interval reached = sum.widened(widest);
    errors.slopes[j] = slopes(dense.activation, reached);
    output.range[j] = values(dense.activation, sum);
    for (std::size_t k = 0; k < ways.size(); ++k) {
      const double rounded = function_error(dense.activation, reached.size(), ways[k].u);
      const double slope = errors.slopes[j].size();
      OwnError& own = errors.own[k][j];
      own.bound = outward(slope * own.bound + rounded, 8);
      own.known = slope * own.known + rounded;
      own.squares *= slope * slope;
      output.error[k][j] = outward(slope * sum_error[k] + rounded, 8);
    }
  }
  return output;
}

/// Derivatives of one logit by a layer's outputs.
using Gradient = std::vector<Interval>;

/// By the layer's inputs, from those by its outputs.
Gradient backward(const Dense& dense, const LayerErrors& errors, const Gradient& by_output) {
  Gradient by_input(dense.inputs);
  std::vector<double> sizes(dense.inputs, 0.0);
  for (std::size_t j = 0; j < dense.units; ++j) {
    const Interval& g = by_output[j];
    const Interval& s = errors.slopes[j];
    const double corners[] = {g.low * s.low, g.low * s.high, g.high * s.low, g.high * s.high};
    const double low = *std::min_element(std::begin(corners), std::end(corners));
    const double high = *std::max_element(std::begin(corners), std::end(corners));
    for (std::size_t i = 0; i < dense.inputs; ++i) {
      const double w = dense.weight.value[j * dense.inputs + i];
      by_input[i].low += std::min(w * low, w * high);
      by_input[i].high += std::max(w * low, w * high);
      sizes[i] += std::abs(w) * std::max(std::abs(low), std::abs(high));
    }
  }
  for (std::size_t i = 0; i < dense.inputs; ++i) {
    by_input[i] = by_input[i].widened(own_rounding(sizes[i], dense.units));
  }
  return by_input;
}

double weighted(const Gradient& gradient, const std::vector<double>& error) {
  double sum = 0;
  for (std::size_t i = 0; i < error.size(); ++i) sum += gradient[i].size() * error[i];
  return outward(sum, error.size());
}

/// Adds what `errors` do to a logit.
void add_through(const Gradient& gradient, const std::vector<OwnError>& errors, OwnError& logit) {
  double bound = 0;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const double size = gradient[i].size();
    bound += size * errors[i].bound;
    logit.known += size * errors[i].known;
    logit.squares += size * size * errors[i].squares;
  }
  logit.bound += outward(bound, errors.size());
}

/// Work that the Jacobians may cost.
constexpr double most_products = 4e9;

}  // namespace

Features pooled(Pooling pooling, const ColumnBounds& columns, const std::vector<Arithmetic>& ways,
                double fewest_positions, double most_positions) {
  const std::size_t channels = columns.channels();
  const bool joined = pooling == Pooling::concat_avg_max || pooling == Pooling::concat_avg_max_std;
  const bool with_deviation = pooling == Pooling::concat_avg_max_std;
  Features features;
  features.range.resize(channels * (with_deviation ? 3 : joined ? 2 : 1));
  features.error.assign(ways.size(), std::vector<double>(features.range.size(), 0.0));
  features.own.assign(ways.size(), std::vector<OwnError>(features.range.size()));
  for (std::size_t c = 0; c < channels; ++c) {
    const Interval& range = columns.range[c];
    for (std::size_t part = 0; part < (joined ? 2U : 1U); ++part) features.range[part * channels + c] = range;
    if (with_deviation) {
      const double largest = (range.high - range.low) / 2 * std::sqrt(fewest_positions / (fewest_positions - 1));
      features.range[2 * channels + c] = {0, outward(largest + 0.004, 8)};
    }
    for (std::size_t k = 0; k < ways.size(); ++k) {
      const double error = columns.error[k][c];
      const double size = range.size() + error;
      const double average = error + average_roundings(ways[k], most_positions) * size;
      auto& out = features.error[k];
      switch (pooling) {
        case Pooling::max:
          out[c] = error;
          break;
        case Pooling::avg:
          out[c] = average;
          break;
        case Pooling::avg_max:
          out[c] = (average + error) / 2 + ways[k].u * (size + average);
          break;
        case Pooling::concat_avg_max:
        case Pooling::concat_avg_max_std:
          out[c] = average;
          out[channels + c] = error;
          break;
      }
      // Averages, the last two operations of avg_max, and a column of padding, which may reach two features.
      const double average_squares = probable_average_roundings(ways[k]) * size * size;
      const double joining = pooling == Pooling::avg_max ? 2 * size * size : 0;
      const double padding = 2 * size * size;
      for (std::size_t part = 0; part < (joined ? 2U : 1U); ++part) {
        const bool averaged = pooling != Pooling::max && part == 0;
        const double share = pooling == Pooling::avg_max ? 0.25 : 1;
        features.own[k][part * channels + c].squares = (averaged ? share * average_squares : 0) + joining + padding;
      }
      if (with_deviation) {
        out[2 * channels + c] = deviation_error(ways[k], error, 2 * size, fewest_positions, most_positions);
        features.own[k][2 * channels + c].known =
            deviation_error(ways[k], 0, 2 * size, fewest_positions, most_positions);
      }
    }
  }
  for (auto& errors : features.error) {
    for (double& error : errors) error = outward(error, 32);
  }
  return features;
}

HeadErrors head(const Original& original, const Model& model, const Features& features,
                const std::vector<Arithmetic>& ways) {
  std::vector<Dense> layers;
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    layers.push_back(
        dense_of(original.dense[i], model.weights.dense[i], original.architecture.dense_layers[i].activation));
  }
  layers.push_back(dense_of(original.output, model.weights.output, {Activation::Kind::none, 0.0F}));

  std::vector<LayerErrors> errors(layers.size());
  HeadErrors result;
  std::vector<Features>& outputs = result.outputs;
  double products = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    outputs.push_back(forward(layers[i], i == 0 ? features : outputs.back(), ways, errors[i]));
    products += static_cast<double>(layers[i].inputs) * static_cast<double>(layers[i].units);
  }
  auto& logits = outputs.back();
  if (products * static_cast<double>(logits.range.size()) > most_products) return result;
  result.own.assign(ways.size(), std::vector<OwnError>(logits.range.size()));
  for (std::size_t o = 0; o < logits.range.size(); ++o) {
    Gradient gradient(logits.range.size());
    gradient[o] = {1, 1};
    for (std::size_t i = layers.size(); i-- > 0;) {
      for (std::size_t k = 0; k < ways.size(); ++k) add_through(gradient, errors[i].own[k], result.own[k][o]);
      gradient = backward(layers[i], errors[i], gradient);
    }
    for (std::size_t k = 0; k < ways.size(); ++k) {
      const double behind = result.own[k][o].bound;
      const double error = outward(behind + weighted(gradient, features.error[k]), layers.size());
      logits.error[k][o] = std::min(logits.error[k][o], error);
      add_through(gradient, features.own[k], result.own[k][o]);
    }
    result.by_feature.emplace_back();
    for (const Interval& derivative : gradient) result.by_feature.back().push_back(derivative.size());
  }
  return result;
}

double score_error(Output output, double logit_error, std::size_t outputs, double u) {
  switch (output) {
    case Output::sigmoid:
      return outward(logit_error / 4 + 8 * u, 4);
    case Output::softmax:
      // |p(1 - p)| 2 e is at most e / 2; then the exponentials, their sum, and the division.
      return outward(logit_error / 2 + (static_cast<double>(outputs) + 12) * u, 4);
    case Output::none:
      return logit_error;
  }
  return logit_error;
}

}  // namespace bytecnn::exporter
