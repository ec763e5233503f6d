#include "verify/condition.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "original_columns.hpp"
#include "verify/bound/activation_error.hpp"

namespace bytecnn::exporter {
namespace {

constexpr double allowed_loss = 1e-5;  // the engine's default tolerance, of S

std::vector<double> sizes_of(std::vector<double> numbers) {
  for (double& number : numbers) number = std::abs(number);
  return numbers;
}

Columns sizes_of(Columns columns) {
  columns.values = sizes_of(std::move(columns.values));
  return columns;
}

/// What one layer's sums were made of.
struct LayerSums {
  std::string name;
  double largest_value = 0;
  double largest_size = 0;
  Cancellation where;
};

/// Runs a network forward; beside every value goes e, the running error in units of u: e(sum w x) = sum |w| e(x) +
/// sum |w x| (Higham, section 3.3).
class RunningError {
 public:
  RunningError(const Original& network, double scale) : network_(network), scale_(scale) {}

  void run(const std::vector<std::byte>& bytes, std::size_t input) {
    input_ = input;
    layer_ = 0;
    const Architecture& architecture = network_.architecture;
    Columns value = embed(network_, architecture, bytes);
    Columns error = value;
    std::fill(error.values.begin(), error.values.end(), 0.0);  // the original's own numbers are what it is
    for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) conv(i, value, error);
    const PooledStatistics pooled = pooled_statistics(value);
    std::vector<double> x = pooled_features(architecture.pooling, pooled);
    std::vector<double> e = pooled_error(value, error, pooled);
    for (std::size_t i = 0; i < network_.dense.size(); ++i) {
      dense(network_.dense[i], "dense" + std::to_string(i + 1), x, e);
      finish(architecture.dense_layers[i].activation, x, e);
    }
    dense(network_.output, "output", x, e);
    for (std::size_t output = 0; output < e.size(); ++output) {
      if (e[output] / scale_ > result_.value) {
        result_.value = e[output] / scale_;
        result_.input = input;
        result_.output = output;
      }
    }
  }

  [[nodiscard]] ConditionNumber result() {
    for (const LayerSums& layer : layers_) {
      // A logit is judged by S, a layer by its largest value.
      const double against = layer.name == "output" ? std::max(scale_, layer.largest_value) : layer.largest_value;
      if (!(against > 0)) continue;
      const double ratio = layer.largest_size / against;
      if (ratio <= result_.worst.ratio) continue;
      result_.worst = layer.where;
      result_.worst.ratio = ratio;
      result_.worst.layer = layer.name;
    }
    return result_;
  }

 private:
  /// Keeps how large a layer's sums and their terms are.
  void note(const std::string& name, std::span<const double> values, std::span<const double> sizes,
            std::size_t positions) {
    if (layer_ == layers_.size()) layers_.push_back({name, 0, 0, {}});
    LayerSums& layer = layers_[layer_++];
    for (std::size_t i = 0; i < values.size(); ++i) {
      layer.largest_value = std::max(layer.largest_value, std::abs(values[i]));
      if (sizes[i] <= layer.largest_size) continue;
      layer.largest_size = sizes[i];
      layer.where.channel = i / positions;
      layer.where.position = i % positions;
      layer.where.input = input_;
    }
  }

  void conv(std::size_t index, Columns& value, Columns& error) {
    const ConvLayer& layer = network_.architecture.conv_layers[index];
    const OriginalConv& weights = network_.conv[index];
    const std::string name = "conv" + std::to_string(index + 1);
    OriginalConv sized;
    sized.weight = sizes_of(weights.weight);
    Columns next_error = convolve(layer, sized, error);
    sized.bias = sizes_of(weights.bias);
    const Columns sizes = convolve(layer, sized, sizes_of(value));
    Columns next = convolve(layer, weights, value);
    note(name, next.values, sizes.values, next.positions);
    for (std::size_t i = 0; i < sizes.values.size(); ++i) next_error.values[i] += sizes.values[i];
    const bool has_norm = layer.batch_norm.has_value();
    const bool before = has_norm && layer.batch_norm->position == BatchNormSpec::Position::before_activation;
    if (before) normalised(name, weights.batch_norm, layer.batch_norm->eps, next, next_error);
    finish(layer.activation, next.values, next_error.values);
    if (has_norm && !before) normalised(name, weights.batch_norm, layer.batch_norm->eps, next, next_error);
    if (layer.residual) {
      for (std::size_t i = 0; i < next.values.size(); ++i) {
        next_error.values[i] += error.values[i] + std::abs(next.values[i]) + std::abs(value.values[i]);
      }
      add_residual(value, next);
    }
    value = std::move(next);
    error = std::move(next_error);
  }

  void normalised(const std::string& name, const OriginalBatchNorm& norm, double eps, Columns& value, Columns& error) {
    std::vector<double> sizes(value.values.size());
    for (std::size_t c = 0; c < value.channels; ++c) {
      const double factor = std::abs(norm.gamma[c] / std::sqrt(norm.variance[c] + eps));
      for (std::size_t p = 0; p < value.positions; ++p) {
        const std::size_t i = c * value.positions + p;
        sizes[i] = factor * (std::abs(value.values[i]) + std::abs(norm.mean[c])) + std::abs(norm.beta[c]);
        error.values[i] = factor * error.values[i] + sizes[i];
      }
    }
    normalise(norm, eps, value);
    note(name + " batch norm", value.values, sizes, value.positions);
  }

  static void finish(const Activation& activation, std::vector<double>& values, std::vector<double>& errors) {
    for (std::size_t i = 0; i < values.size(); ++i) errors[i] *= slopes(activation, {values[i], values[i]}).size();
    activate(activation, values);
  }

  /// In the order of `pooled_features`.
  [[nodiscard]] std::vector<double> pooled_error(const Columns& value, const Columns& error,
                                                 const PooledStatistics& pooled) const {
    PooledStatistics errors;
    for (std::size_t c = 0; c < value.channels; ++c) {
      double sum = 0;
      double largest = 0;
      for (std::size_t p = 0; p < value.positions; ++p) {
        const std::size_t i = c * value.positions + p;
        sum += error.values[i] + std::abs(value.values[i]);
        largest = std::max(largest, error.values[i]);
      }
      errors.average.push_back(sum / static_cast<double>(value.positions));
      errors.maximum.push_back(largest);
      if (!pooled.deviation.empty()) errors.deviation.push_back(2 * largest + pooled.deviation[c]);
    }
    return pooled_features(network_.architecture.pooling, errors);
  }

  void dense(const OriginalDense& layer, const std::string& name, std::vector<double>& x, std::vector<double>& e) {
    OriginalDense sized{sizes_of(layer.weight), std::vector<double>(layer.bias.size(), 0.0)};
    std::vector<double> error = dense_sums(sized, e);
    sized.bias = sizes_of(layer.bias);
    const std::vector<double> sizes = dense_sums(sized, sizes_of(x));
    x = dense_sums(layer, x);
    note(name, x, sizes, 1);
    for (std::size_t i = 0; i < sizes.size(); ++i) error[i] += sizes[i];
    e = std::move(error);
  }

  const Original& network_;
  double scale_;
  std::size_t input_ = 0, layer_ = 0;
  std::vector<LayerSums> layers_;
  ConditionNumber result_;
};

}  // namespace

bool ConditionNumber::too_hard_for_float32() const noexcept {
  return worst.ratio * float_roundoff > allowed_loss;
}

ConditionNumber condition_number(const Original& network, const std::vector<std::vector<std::byte>>& inputs,
                                 double scale) {
  RunningError running(network, scale);
  for (std::size_t i = 0; i < inputs.size(); ++i) running.run(inputs[i], i);
  return running.result();
}

Original as_computed(const Model& model) {
  const auto doubles = [](const std::vector<float>& numbers) {
    return std::vector<double>(numbers.begin(), numbers.end());
  };
  Original result;
  result.architecture = model.architecture;
  result.embedding = doubles(model.weights.embedding);
  for (std::size_t i = 0; i < model.weights.conv.size(); ++i) {
    const ConvWeights& weights = model.weights.conv[i];
    OriginalConv conv;
    conv.weight = doubles(weights.weight);
    conv.bias = doubles(weights.bias);
    auto& norm = result.architecture.conv_layers[i].batch_norm;
    norm.reset();
    if (!weights.scale.empty()) {
      norm = BatchNormSpec{0, BatchNormSpec::Position::after_activation};
      const std::size_t filters = weights.scale.size();
      conv.batch_norm = {doubles(weights.scale), doubles(weights.shift), std::vector<double>(filters, 0.0),
                         std::vector<double>(filters, 1.0)};
    }
    result.conv.push_back(std::move(conv));
  }
  for (const DenseWeights& dense : model.weights.dense) {
    result.dense.push_back({doubles(dense.weight), doubles(dense.bias)});
  }
  result.output = {doubles(model.weights.output.weight), doubles(model.weights.output.bias)};
  return result;
}

}  // namespace bytecnn::exporter
