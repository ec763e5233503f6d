#include "naive_formula.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>

namespace bytecnn::testing {
namespace {

using Number = long double;
using Column = std::vector<Number>;   // [channels]
using Columns = std::vector<Column>;  // [positions][channels]

Number activated(const Activation& activation, Number x) {
  const std::string name = to_string(activation);
  if (name == "none") return x;
  if (name == "relu") return std::max<Number>(x, 0);
  if (name == "gelu") return x * (1 + std::erf(x / std::sqrt(Number{2}))) / 2;
  if (name == "silu") return x / (1 + std::exp(-x));
  if (name == "tanh") return std::tanh(x);
  if (name == "sigmoid") return 1 / (1 + std::exp(-x));
  return x < 0 ? activation.slope * x : x;
}

Columns embedded(const Model& model, const Bytes& input) {
  const Architecture& a = model.architecture;
  Columns columns;
  for (std::size_t p = 0; p < a.max_len; ++p) {
    if (p >= input.size() && !a.pad_token) break;
    const std::size_t token = p < input.size() ? std::to_integer<std::size_t>(input[p]) : *a.pad_token;
    const auto row = model.weights.embedding.begin() + static_cast<std::ptrdiff_t>(token * a.embed_dim);
    columns.emplace_back(row, row + a.embed_dim);
  }
  return columns;
}

/// The columns with zero columns before and after them.
Columns zero_padded(const Columns& columns, std::size_t channels, std::size_t left, std::size_t right) {
  const Column zero(channels, 0);
  Columns padded(left, zero);
  padded.insert(padded.end(), columns.begin(), columns.end());
  padded.insert(padded.end(), right, zero);
  return padded;
}

Columns conv_block(const ConvLayer& layer, const ConvWeights& weights, const Columns& input, std::size_t channels) {
  const Columns padded = zero_padded(input, channels, layer.pad_left, layer.pad_right);
  const std::size_t kernel = layer.kernel_size;
  const std::size_t inputs_of_group = channels / layer.groups;
  Columns output;
  for (std::size_t start = 0; start + layer.dilation * (kernel - 1) < padded.size(); start += layer.stride) {
    Column column;
    for (std::size_t filter = 0; filter < layer.filters; ++filter) {
      const std::size_t group = filter * layer.groups / layer.filters;
      Number sum = weights.bias[filter];
      for (std::size_t tap = 0; tap < kernel; ++tap) {
        for (std::size_t c = 0; c < inputs_of_group; ++c) {
          sum += Number{weights.weight[(filter * inputs_of_group + c) * kernel + tap]} *
                 padded[start + tap * layer.dilation][group * inputs_of_group + c];
        }
      }
      Number value = activated(layer.activation, sum);
      if (layer.batch_norm) value = value * weights.scale[filter] + weights.shift[filter];
      if (layer.residual) value += input[output.size()][filter];
      column.push_back(value);
    }
    output.push_back(column);
  }
  return output;
}

Column pooled(Pooling pooling, const Columns& columns) {
  Column average, maximum, deviation;
  const auto count = static_cast<Number>(columns.size());
  for (std::size_t c = 0; c < columns[0].size(); ++c) {
    Column channel;
    for (const Column& column : columns) channel.push_back(column[c]);
    const Number mean = std::accumulate(channel.begin(), channel.end(), Number{0}) / count;
    Number squares = 0;
    for (const Number x : channel) squares += (x - mean) * (x - mean);
    average.push_back(mean);
    maximum.push_back(*std::max_element(channel.begin(), channel.end()));
    deviation.push_back(std::sqrt(squares / (count - 1) + Number{1e-5}));
  }
  if (pooling == Pooling::avg) return average;
  if (pooling == Pooling::max) return maximum;
  if (pooling == Pooling::avg_max) {
    for (std::size_t c = 0; c < average.size(); ++c) average[c] = average[c] / 2 + maximum[c] / 2;
    return average;
  }
  average.insert(average.end(), maximum.begin(), maximum.end());
  if (pooling == Pooling::concat_avg_max_std) average.insert(average.end(), deviation.begin(), deviation.end());
  return average;
}

Column linear(const DenseWeights& weights, const Column& input) {
  Column output;
  for (std::size_t unit = 0; unit < weights.bias.size(); ++unit) {
    const auto row = weights.weight.begin() + static_cast<std::ptrdiff_t>(unit * input.size());
    output.push_back(std::inner_product(input.begin(), input.end(), row, Number{weights.bias[unit]}));
  }
  return output;
}

}  // namespace

std::vector<double> naive_logits(const Model& model, const Bytes& input) {
  Columns columns = embedded(model, input);
  for (std::size_t i = 0; i < model.weights.conv.size(); ++i) {
    columns = conv_block(model.architecture.conv_layers[i], model.weights.conv[i], columns,
                         model.architecture.in_channels(i));
  }
  Column features = pooled(model.architecture.pooling, columns);
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    features = linear(model.weights.dense[i], features);
    for (Number& x : features) x = activated(model.architecture.dense_layers[i].activation, x);
  }
  const Column logits = linear(model.weights.output, features);
  return {logits.begin(), logits.end()};
}

}  // namespace bytecnn::testing
