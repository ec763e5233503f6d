#include "bytecnn/reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "bytecnn/error.hpp"

#include "reference_columns.hpp"

namespace bytecnn {
namespace {

/// [channels][positions], row-major.
struct Feature {
  std::size_t channels = 0;
  std::size_t positions = 0;
  std::vector<double> values;

  Feature(std::size_t channel_count, std::size_t position_count)
      : channels(channel_count), positions(position_count), values(channel_count * position_count, 0.0) {}
  double& at(std::size_t c, std::size_t p) { return values[c * positions + p]; }
  [[nodiscard]] double at(std::size_t c, std::size_t p) const { return values[c * positions + p]; }
};

double activate(const Activation& activation, double x) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return x > 0 ? x : 0;
    case Activation::Kind::leaky_relu:
      return x > 0 ? x : x * static_cast<double>(activation.slope);
    case Activation::Kind::gelu:
      return 0.5 * x * std::erfc(-x / std::numbers::sqrt2);
    case Activation::Kind::silu:
      return x / (1 + std::exp(-x));
    case Activation::Kind::tanh:
      return std::tanh(x);
    case Activation::Kind::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

std::vector<std::uint32_t> tokens_of(const Architecture& architecture, std::span<const std::byte> input) {
  std::vector<std::uint32_t> tokens;
  for (const std::byte byte : input.first(std::min<std::size_t>(input.size(), architecture.max_len))) {
    tokens.push_back(std::to_integer<std::uint32_t>(byte));
  }
  if (architecture.pad_token) tokens.resize(architecture.max_len, *architecture.pad_token);
  return tokens;
}

Feature embed(const Model& model, std::span<const std::uint32_t> tokens) {
  const std::size_t dim = model.architecture.embed_dim;
  Feature embedded(dim, tokens.size());
  for (std::size_t p = 0; p < tokens.size(); ++p) {
    for (std::size_t d = 0; d < dim; ++d) embedded.at(d, p) = model.weights.embedding[tokens[p] * dim + d];
  }
  return embedded;
}

/// Positions p of the output whose tap reads inside the input: low <= p < high.
struct Range {
  std::size_t low, high;
};

Range inside(const ConvLayer& layer, std::size_t tap, std::size_t input_positions, std::size_t output_positions) {
  const std::size_t offset = tap * layer.dilation;
  const std::size_t low = offset >= layer.pad_left ? 0 : (layer.pad_left - offset + layer.stride - 1) / layer.stride;
  const std::size_t end = input_positions + layer.pad_left;  // padded index after the last real position
  const std::size_t high = end <= offset ? 0 : (end - offset - 1) / layer.stride + 1;
  return {low, std::min(high, output_positions)};
}

Feature conv_block(const ConvLayer& layer, const ConvWeights& weights, const Feature& input) {
  Feature output(layer.filters, static_cast<std::size_t>(layer.output_length(input.positions)));
  const std::size_t group_inputs = input.channels / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const std::size_t first_channel = f / group_filters * group_inputs;
    double* row = &output.values[f * output.positions];
    std::fill(row, row + output.positions, static_cast<double>(weights.bias[f]));
    for (std::size_t c = 0; c < group_inputs; ++c) {
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        const double w = weights.weight[(f * group_inputs + c) * layer.kernel_size + k];
        const Range range = inside(layer, k, input.positions, output.positions);
        for (std::size_t p = range.low; p < range.high; ++p) {
          row[p] += w * input.at(first_channel + c, p * layer.stride + k * layer.dilation - layer.pad_left);
        }
      }
    }
    for (std::size_t p = 0; p < output.positions; ++p) {
      row[p] = activate(layer.activation, row[p]);
      if (!weights.scale.empty()) {
        row[p] = row[p] * static_cast<double>(weights.scale[f]) + static_cast<double>(weights.shift[f]);
      }
      if (layer.residual) row[p] += input.at(f, p);
    }
  }
  return output;
}

std::vector<double> pool(Pooling pooling, const Feature& input) {
  std::vector<double> average(input.channels), maximum(input.channels), deviation(input.channels);
  const auto positions = static_cast<double>(input.positions);
  for (std::size_t c = 0; c < input.channels; ++c) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t p = 0; p < input.positions; ++p) {
      sum += input.at(c, p);
      largest = std::max(largest, input.at(c, p));
    }
    average[c] = sum / positions;
    maximum[c] = largest;
    double squares = 0;
    for (std::size_t p = 0; p < input.positions; ++p) squares += std::pow(input.at(c, p) - average[c], 2);
    deviation[c] = std::sqrt(squares / (positions - 1) + 1e-5);
  }
  switch (pooling) {
    case Pooling::max:
      return maximum;
    case Pooling::avg:
      return average;
    case Pooling::avg_max:
      for (std::size_t c = 0; c < input.channels; ++c) average[c] = (average[c] + maximum[c]) / 2;
      return average;
    case Pooling::concat_avg_max_std:
    case Pooling::concat_avg_max:
      break;
  }
  average.insert(average.end(), maximum.begin(), maximum.end());
  if (pooling == Pooling::concat_avg_max_std) average.insert(average.end(), deviation.begin(), deviation.end());
  return average;
}

std::vector<double> dense(const DenseWeights& weights, const Activation& activation, std::span<const double> input) {
  std::vector<double> output(weights.bias.begin(), weights.bias.end());
  for (std::size_t u = 0; u < output.size(); ++u) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      output[u] += static_cast<double>(weights.weight[u * input.size() + i]) * input[i];
    }
    output[u] = activate(activation, output[u]);
  }
  return output;
}

}  // namespace

std::vector<std::vector<double>> reference_layer_outputs(const Model& model, std::span<const std::byte> input) {
  const Architecture& architecture = model.architecture;
  const std::vector<std::uint32_t> tokens = tokens_of(architecture, input);
  if (architecture.pooled_positions(tokens.size()) < minimum_pooled_positions(architecture.pooling)) {
    throw Error(ErrorCode::invalid, "the input is too short for this model, which does not pad", {}, {},
                std::to_string(tokens.size()) + " bytes");
  }
  std::vector<std::vector<double>> outputs;
  Feature feature = embed(model, tokens);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    feature = conv_block(architecture.conv_layers[i], model.weights.conv[i], feature);
    outputs.push_back(feature.values);
  }
  outputs.push_back(pool(architecture.pooling, feature));
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    outputs.push_back(dense(model.weights.dense[i], architecture.dense_layers[i].activation, outputs.back()));
  }
  outputs.push_back(dense(model.weights.output, {Activation::Kind::none}, outputs.back()));
  return outputs;
}

std::vector<double> reference_columns(const Model& model, std::span<const std::uint32_t> tokens) {
  Feature feature = embed(model, tokens);
  for (std::size_t i = 0; i < model.architecture.conv_layers.size(); ++i) {
    feature = conv_block(model.architecture.conv_layers[i], model.weights.conv[i], feature);
  }
  return std::move(feature.values);
}

std::vector<double> reference_logits(const Model& model, std::span<const std::byte> input) {
  return std::move(reference_layer_outputs(model, input).back());
}

std::vector<double> reference_scores(Output output, std::span<const double> logits) {
  std::vector<double> scores(logits.begin(), logits.end());
  if (output == Output::sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
  } else if (output == Output::softmax) {
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
  }
  return scores;
}

}  // namespace bytecnn
