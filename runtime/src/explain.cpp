#include "bytecnn/explain.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

#include "reference_layers.hpp"

namespace bytecnn {
namespace {

using reference::Feature;

/// Below this difference the quotient of a smooth activation is rounding noise, and its derivative is used.
constexpr double smallest_difference = 1e-9;

double derivative(const Activation& activation, double x) {
  const double sigmoid = 1 / (1 + std::exp(-x));
  switch (activation.kind) {
    case Activation::Kind::none:
      return 1;
    case Activation::Kind::relu:
      return x > 0 ? 1 : 0;
    case Activation::Kind::leaky_relu:
      return x > 0 ? 1 : static_cast<double>(activation.slope);
    case Activation::Kind::gelu:
      return 0.5 * std::erfc(-x / std::numbers::sqrt2) +
             x * std::exp(-x * x / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    case Activation::Kind::silu:
      return sigmoid * (1 + x * (1 - sigmoid));
    case Activation::Kind::tanh:
      return 1 - std::tanh(x) * std::tanh(x);
    case Activation::Kind::sigmoid:
      return sigmoid * (1 - sigmoid);
  }
  return 1;
}

/// The activation's slope between its value at `x` and at the baseline `z`.
double slope_between(const Activation& activation, double x, double z) {
  const bool pieces = activation.kind == Activation::Kind::relu || activation.kind == Activation::Kind::leaky_relu;
  if (x == z || (!pieces && std::abs(x - z) < smallest_difference)) return derivative(activation, (x + z) / 2);
  return (reference::activate(activation, x) - reference::activate(activation, z)) / (x - z);
}

/// Everything that one input leaves in the network.
struct Trace {
  std::vector<Feature> inputs;  ///< of every conv block, and what leaves the last one
  std::vector<Feature> sums;    ///< of every conv block, before its activation
  reference::PooledParts pooled;
  std::vector<std::vector<double>> head_sums;  ///< of every dense layer; last the logits

  [[nodiscard]] const Feature& columns() const { return inputs.back(); }
};

Trace trace(const Model& model, Feature embedded) {
  const Architecture& architecture = model.architecture;
  Trace trace;
  trace.inputs.push_back(std::move(embedded));
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const ConvWeights& weights = model.weights.conv[i];
    trace.sums.push_back(reference::convolve(layer, weights, trace.inputs.back()));
    trace.inputs.push_back(reference::finish_block(layer, weights, trace.sums.back(), trace.inputs.back()));
  }
  trace.pooled = reference::pool_parts(trace.columns());
  std::vector<double> features = reference::pooled_features(architecture.pooling, trace.pooled);
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    features = reference::dense_sums(model.weights.dense[i], features);
    trace.head_sums.push_back(features);
    for (double& x : features) x = reference::activate(architecture.dense_layers[i].activation, x);
  }
  trace.head_sums.push_back(reference::dense_sums(model.weights.output, features));
  return trace;
}

/// What the logit gains for each unit of difference of a pooled feature.
std::vector<double> head_multipliers(const Model& model, const Trace& text, const Trace& base, std::size_t output) {
  const std::vector<float>& last = model.weights.output.weight;
  const std::size_t width = last.size() / model.architecture.outputs;
  std::vector<double> multipliers(last.begin() + static_cast<std::ptrdiff_t>(output * width),
                                  last.begin() + static_cast<std::ptrdiff_t>((output + 1) * width));
  for (std::size_t i = model.weights.dense.size(); i-- > 0;) {
    const DenseWeights& dense = model.weights.dense[i];
    const std::size_t inputs = dense.weight.size() / dense.bias.size();
    std::vector<double> earlier(inputs, 0.0);
    for (std::size_t u = 0; u < dense.bias.size(); ++u) {
      const double slope =
          slope_between(model.architecture.dense_layers[i].activation, text.head_sums[i][u], base.head_sums[i][u]);
      for (std::size_t j = 0; j < inputs; ++j) {
        earlier[j] += multipliers[u] * slope * static_cast<double>(dense.weight[u * inputs + j]);
      }
    }
    multipliers = std::move(earlier);
  }
  return multipliers;
}

/// Multipliers of one channel's average, maximum and deviation, out of those of the features.
struct PartMultipliers {
  double average = 0, maximum = 0, deviation = 0;
};

PartMultipliers part_multipliers(Pooling pooling, const std::vector<double>& features, std::size_t channel,
                                 std::size_t channels) {
  switch (pooling) {
    case Pooling::max:
      return {0, features[channel], 0};
    case Pooling::avg:
      return {features[channel], 0, 0};
    case Pooling::avg_max:
      return {features[channel] / 2, features[channel] / 2, 0};
    case Pooling::concat_avg_max:
      return {features[channel], features[channels + channel], 0};
    case Pooling::concat_avg_max_std:
      return {features[channel], features[channels + channel], features[2 * channels + channel]};
  }
  return {};
}

std::size_t position_of_maximum(const Feature& columns, std::size_t channel) {
  const double* row = &columns.values[channel * columns.positions];
  return static_cast<std::size_t>(std::max_element(row, row + columns.positions) - row);
}

/// Multipliers of the columns, by the rules in explain.hpp; notes who won each maximum.
Feature column_multipliers(Pooling pooling, const std::vector<double>& features, const Trace& text, const Trace& base,
                           std::vector<PoolWinner>& winners, std::vector<std::size_t>& winning_columns) {
  const Feature& y = text.columns();
  const Feature& z = base.columns();
  const auto positions = static_cast<double>(y.positions);
  Feature multipliers(y.channels, y.positions);
  for (std::size_t c = 0; c < y.channels; ++c) {
    const PartMultipliers part = part_multipliers(pooling, features, c, y.channels);
    for (std::size_t p = 0; p < y.positions; ++p) multipliers.at(c, p) = part.average / positions;
    if (pooling == Pooling::concat_avg_max_std) {
      // s^2 - t^2 = (s - t) (s + t) turns the difference of variances into the one of deviations.
      const double factor = part.deviation / (text.pooled.deviation[c] + base.pooled.deviation[c]) / (positions - 1);
      const double means = text.pooled.average[c] + base.pooled.average[c];
      for (std::size_t p = 0; p < y.positions; ++p) {
        multipliers.at(c, p) += factor * (y.at(c, p) + z.at(c, p) - means);
      }
    }
    if (pooling == Pooling::avg) continue;
    const std::size_t winner = position_of_maximum(y, c);
    const double difference = text.pooled.maximum[c] - base.pooled.maximum[c];
    // Between 0 and 1: the credited column moved at least as far as the maximum did.
    const std::size_t credited = difference > 0 ? winner : position_of_maximum(z, c);
    if (difference != 0) {
      multipliers.at(c, credited) += part.maximum * difference / (y.at(c, credited) - z.at(c, credited));
    }
    winners.push_back({static_cast<std::uint32_t>(c), text.pooled.maximum[c], 0, 0, part.maximum * difference});
    winning_columns.push_back(winner);
  }
  return multipliers;
}

/// Multipliers of a block's input, out of those of its output.
Feature through_block(const ConvLayer& layer, const ConvWeights& weights, const Feature& output, const Feature& sums,
                      const Feature& base_sums, const Feature& input) {
  Feature earlier(input.channels, input.positions);
  if (layer.residual) earlier.values = output.values;
  const std::size_t group_inputs = input.channels / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  std::vector<double> row(output.positions);
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const std::size_t first_channel = f / group_filters * group_inputs;
    const double scale = weights.scale.empty() ? 1 : static_cast<double>(weights.scale[f]);
    for (std::size_t p = 0; p < output.positions; ++p) {
      row[p] = output.at(f, p) * scale * slope_between(layer.activation, sums.at(f, p), base_sums.at(f, p));
    }
    for (std::size_t c = 0; c < group_inputs; ++c) {
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        const double w = weights.weight[(f * group_inputs + c) * layer.kernel_size + k];
        const reference::Range range = reference::inside(layer, k, input.positions, output.positions);
        for (std::size_t p = range.low; p < range.high; ++p) {
          earlier.at(first_channel + c, p * layer.stride + k * layer.dilation - layer.pad_left) += w * row[p];
        }
      }
    }
  }
  return earlier;
}

/// Sets the bytes that each winning column saw.
void find_bytes(const Architecture& architecture, const std::vector<std::size_t>& columns, std::size_t length,
                std::vector<PoolWinner>& winners) {
  std::int64_t field = 1;
  std::int64_t stride = 1;
  std::int64_t pad = 0;
  for (const ConvLayer& layer : architecture.conv_layers) {
    field += static_cast<std::int64_t>(layer.reach()) * stride;
    pad += static_cast<std::int64_t>(layer.pad_left) * stride;
    stride *= layer.stride;
  }
  const auto clipped = [length](std::int64_t position) {
    return static_cast<std::size_t>(std::clamp<std::int64_t>(position, 0, static_cast<std::int64_t>(length)));
  };
  for (std::size_t i = 0; i < winners.size(); ++i) {
    const std::int64_t begin = static_cast<std::int64_t>(columns[i]) * stride - pad;
    winners[i].begin = clipped(begin);
    winners[i].end = std::max(clipped(begin + field), winners[i].begin);
  }
}

}  // namespace

Explanation explain(const Model& model, std::span<const std::byte> input, std::size_t output) {
  const Architecture& architecture = model.architecture;
  if (output >= architecture.outputs) {
    throw Error(ErrorCode::usage, "the model has no such output", {},
                "less than " + std::to_string(architecture.outputs), std::to_string(output));
  }
  const std::vector<std::uint32_t> tokens = reference::tokens_of(architecture, input);
  const Trace text = trace(model, reference::embed(model, tokens));
  const Feature& embedded = text.inputs.front();
  Feature empty(embedded.channels, embedded.positions);
  if (architecture.pad_token) {
    empty = reference::embed(model, std::vector<std::uint32_t>(tokens.size(), *architecture.pad_token));
  }
  const Trace base = trace(model, std::move(empty));

  Explanation result;
  result.output = output;
  result.logit = text.head_sums.back()[output];
  result.baseline = base.head_sums.back()[output];

  std::vector<std::size_t> winning_columns;
  Feature multipliers = column_multipliers(architecture.pooling, head_multipliers(model, text, base, output), text,
                                           base, result.winners, winning_columns);
  for (std::size_t i = architecture.conv_layers.size(); i-- > 0;) {
    multipliers = through_block(architecture.conv_layers[i], model.weights.conv[i], multipliers, text.sums[i],
                                base.sums[i], text.inputs[i]);
  }
  const std::size_t length = std::min<std::size_t>(input.size(), architecture.max_len);
  result.contributions.assign(length, 0.0);
  for (std::size_t d = 0; d < multipliers.channels; ++d) {
    for (std::size_t t = 0; t < length; ++t) {
      result.contributions[t] += multipliers.at(d, t) * (embedded.at(d, t) - base.inputs.front().at(d, t));
    }
  }
  find_bytes(architecture, winning_columns, length, result.winners);
  std::ranges::stable_sort(result.winners, [](const PoolWinner& a, const PoolWinner& b) {
    return std::abs(a.contribution) > std::abs(b.contribution);
  });
  return result;
}

Explanation explain(const Model& model, std::string_view text, std::size_t output) {
  return explain(model, std::as_bytes(std::span(text.data(), text.size())), output);
}

}  // namespace bytecnn
