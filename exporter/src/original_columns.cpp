#include "original_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace bytecnn::exporter {
namespace {

std::uint64_t positions_of(const Architecture& architecture, std::size_t input_bytes) {
  return architecture.pad_token ? architecture.max_len : std::min<std::uint64_t>(input_bytes, architecture.max_len);
}

template <class Function>
void apply(std::span<double> values, Function function) {
  for (double& value : values) value = function(value);
}

}  // namespace

Columns embed(const Original& original, const Architecture& architecture, std::span<const std::byte> input) {
  const std::size_t dim = architecture.embed_dim;
  Columns columns{dim, static_cast<std::size_t>(positions_of(architecture, input.size())), {}};
  columns.values.resize(dim * columns.positions);
  for (std::size_t p = 0; p < columns.positions; ++p) {
    const std::size_t token =
        p < input.size() ? std::to_integer<std::size_t>(input[p]) : architecture.pad_token.value_or(0);
    for (std::size_t d = 0; d < dim; ++d) {
      columns.values[d * columns.positions + p] = original.embedding[token * dim + d];
    }
  }
  return columns;
}

Columns convolve(const ConvLayer& layer, const OriginalConv& conv, const Columns& input) {
  Columns output{layer.filters, static_cast<std::size_t>(layer.output_length(input.positions)), {}};
  output.values.resize(output.channels * output.positions);
  const std::size_t group_inputs = input.channels / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  const auto input_end = static_cast<std::ptrdiff_t>(input.positions);
  const auto stride = static_cast<std::ptrdiff_t>(layer.stride);
  for (std::size_t f = 0; f < output.channels; ++f) {
    double* const row = &output.values[f * output.positions];
    std::fill_n(row, output.positions, conv.bias.empty() ? 0.0 : conv.bias[f]);
    for (std::size_t c = 0; c < group_inputs; ++c) {
      const double* const from = input.row(f / group_filters * group_inputs + c).data();
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        const double weight = conv.weight[(f * group_inputs + c) * layer.kernel_size + k];
        // Window p reads input position p * stride + offset, which counts where it lies inside.
        const auto offset =
            static_cast<std::ptrdiff_t>(k * layer.dilation) - static_cast<std::ptrdiff_t>(layer.pad_left);
        const std::ptrdiff_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
        const std::ptrdiff_t last = input_end <= offset ? 0 : (input_end - offset - 1) / stride + 1;
        const std::ptrdiff_t end = std::min(last, static_cast<std::ptrdiff_t>(output.positions));
        if (stride == 1) {
          for (std::ptrdiff_t p = first; p < end; ++p) row[p] += weight * from[p + offset];
        } else {
          for (std::ptrdiff_t p = first; p < end; ++p) row[p] += weight * from[p * stride + offset];
        }
      }
    }
  }
  return output;
}

void normalise(const OriginalBatchNorm& norm, double eps, Columns& columns) {
  for (std::size_t c = 0; c < columns.channels; ++c) {
    const double deviation = std::sqrt(norm.variance[c] + eps);
    double* const row = &columns.values[c * columns.positions];
    for (std::size_t p = 0; p < columns.positions; ++p) {
      row[p] = (row[p] - norm.mean[c]) / deviation * norm.gamma[c] + norm.beta[c];
    }
  }
}

void activate(const Activation& activation, std::span<double> values) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return;
    case Activation::Kind::relu:
      return apply(values, [](double x) { return x > 0 ? x : 0; });
    case Activation::Kind::leaky_relu:
      return apply(values, [slope = static_cast<double>(activation.slope)](double x) { return x > 0 ? x : x * slope; });
    case Activation::Kind::gelu:
      return apply(values, [](double x) { return 0.5 * x * std::erfc(-x / std::numbers::sqrt2); });
    case Activation::Kind::silu:
      return apply(values, [](double x) { return x / (1 + std::exp(-x)); });
    case Activation::Kind::tanh:
      return apply(values, [](double x) { return std::tanh(x); });
    case Activation::Kind::sigmoid:
      return apply(values, [](double x) { return 1 / (1 + std::exp(-x)); });
  }
}

void add_residual(const Columns& input, Columns& columns) {
  for (std::size_t i = 0; i < columns.values.size(); ++i) columns.values[i] += input.values[i];
}

Columns conv_block(const ConvLayer& layer, const OriginalConv& conv, const Columns& input) {
  Columns columns = convolve(layer, conv, input);
  const bool after = layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::after_activation;
  if (layer.batch_norm && !after) normalise(conv.batch_norm, layer.batch_norm->eps, columns);
  activate(layer.activation, columns.values);
  if (after) normalise(conv.batch_norm, layer.batch_norm->eps, columns);
  if (layer.residual) add_residual(input, columns);
  return columns;
}

PooledStatistics pooled_statistics(const Columns& columns) {
  PooledStatistics pooled;
  const auto positions = static_cast<double>(columns.positions);
  for (std::size_t c = 0; c < columns.channels; ++c) {
    double sum = 0;
    double largest = -std::numeric_limits<double>::infinity();
    for (const double value : columns.row(c)) {
      sum += value;
      largest = std::max(largest, value);
    }
    pooled.average.push_back(sum / positions);
    pooled.maximum.push_back(largest);
    if (columns.positions < 2) continue;
    double squares = 0;
    for (const double value : columns.row(c)) squares += (value - sum / positions) * (value - sum / positions);
    pooled.deviation.push_back(std::sqrt(squares / (positions - 1) + 1e-5));
  }
  return pooled;
}

std::vector<double> pooled_features(Pooling pooling, const PooledStatistics& statistics) {
  std::vector<double> features = statistics.average;
  const auto append = [&](const std::vector<double>& more) {
    features.insert(features.end(), more.begin(), more.end());
  };
  switch (pooling) {
    case Pooling::max:
      return statistics.maximum;
    case Pooling::avg:
      break;
    case Pooling::avg_max:
      for (std::size_t c = 0; c < features.size(); ++c) features[c] = (features[c] + statistics.maximum[c]) / 2;
      break;
    case Pooling::concat_avg_max:
      append(statistics.maximum);
      break;
    case Pooling::concat_avg_max_std:
      append(statistics.maximum);
      append(statistics.deviation);
      break;
  }
  return features;
}

std::vector<double> dense_sums(const OriginalDense& dense, std::span<const double> input) {
  const std::size_t units = dense.weight.size() / input.size();
  std::vector<double> sums(units, 0.0);
  for (std::size_t u = 0; u < units; ++u) {
    const double* const row = &dense.weight[u * input.size()];
    double sum = dense.bias.empty() ? 0.0 : dense.bias[u];
    for (std::size_t i = 0; i < input.size(); ++i) sum += row[i] * input[i];
    sums[u] = sum;
  }
  return sums;
}

bool long_enough(const Architecture& architecture, std::size_t input_bytes) {
  return architecture.pooled_positions(positions_of(architecture, input_bytes)) >=
         minimum_pooled_positions(architecture.pooling);
}

std::vector<double> original_logits(const Original& original, const Architecture& architecture,
                                    std::span<const std::byte> input) {
  Columns columns = embed(original, architecture, input);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    columns = conv_block(architecture.conv_layers[i], original.conv[i], columns);
  }
  std::vector<double> features = pooled_features(architecture.pooling, pooled_statistics(columns));
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    features = dense_sums(original.dense[i], features);
    activate(architecture.dense_layers[i].activation, features);
  }
  return dense_sums(original.output, features);
}

}  // namespace bytecnn::exporter
