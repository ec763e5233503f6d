#include "verify/weights_stage.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "verify/stage_comparison.hpp"

namespace bytecnn::exporter {
namespace {

/// A number that an export should hold, and the size of the terms it was computed from.
struct Expected {
  double value = 0;
  double size = 0;
};

using Tensor = std::vector<Expected>;

Tensor as_they_are(const std::vector<double>& values) {
  Tensor tensor;
  tensor.reserve(values.size());
  for (const double value : values) tensor.push_back({value, std::abs(value)});
  return tensor;
}

Tensor bias_or_zeros(const std::vector<double>& bias, std::size_t size) {
  return bias.empty() ? Tensor(size) : as_they_are(bias);
}

struct FoldedConv {
  Tensor weight, bias, scale, shift;
};

FoldedConv fold_again(const OriginalConv& conv, const ConvLayer& layer) {
  FoldedConv folded{as_they_are(conv.weight), bias_or_zeros(conv.bias, layer.filters), {}, {}};
  if (!layer.batch_norm) return folded;
  const auto& norm = conv.batch_norm;
  const std::size_t window = conv.weight.size() / std::max<std::size_t>(layer.filters, 1);
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const double factor = norm.gamma[f] / std::sqrt(norm.variance[f] + layer.batch_norm->eps);
    if (layer.batch_norm->position == BatchNormSpec::Position::after_activation) {
      folded.scale.push_back({factor, std::abs(factor)});
      folded.shift.push_back(
          {norm.beta[f] - norm.mean[f] * factor, std::abs(norm.beta[f]) + std::abs(norm.mean[f] * factor)});
      continue;
    }
    for (std::size_t i = f * window; i < (f + 1) * window; ++i) {
      folded.weight[i] = {folded.weight[i].value * factor, std::abs(folded.weight[i].value * factor)};
    }
    const double bias = folded.bias[f].value;
    folded.bias[f] = {(bias - norm.mean[f]) * factor + norm.beta[f],
                      (std::abs(bias) + std::abs(norm.mean[f])) * std::abs(factor) + std::abs(norm.beta[f])};
  }
  return folded;
}

/// "[3][1][2]": element `i` of a row-major tensor, as a JSON reader counts it.
std::string indices(std::size_t i, const std::vector<std::size_t>& inner) {
  std::size_t stride = 1;
  for (const std::size_t size : inner) stride *= std::max<std::size_t>(size, 1);
  std::string text = "[" + std::to_string(i / stride) + "]";
  for (const std::size_t size : inner) {
    i %= stride;
    stride /= std::max<std::size_t>(size, 1);
    text.append("[").append(std::to_string(i / stride)).append("]");
  }
  return text;
}

std::string shown(double number) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::general, 9).ptr};
}

class WeightsStage {
 public:
  WeightsStage() {
    report_.name = "weights";
    report_.tolerance = 1e-6;  // folding in float32 stays below; an eps of 1e-5 taken for 1e-6 does not
    report_.histogram.assign(histogram_bins, 0);
  }

  /// `inner` are the sizes of all axes but the first, for the place of a difference.
  void compare(const std::string& name, const Tensor& expected, const std::vector<float>& found,
               const std::vector<std::size_t>& inner = {}) {
    if (expected.size() != found.size()) {
      report_.worst = std::numeric_limits<double>::infinity();
      if (!shapes_differ_) {  // the first such tensor is told, and no number is worse
        report_.worst_place =
            name + " holds " + std::to_string(found.size()) + " numbers instead of " + std::to_string(expected.size());
      }
      shapes_differ_ = true;
      return;
    }
    double largest = 0;
    for (const auto& number : expected) largest = std::max(largest, number.size);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double size = std::max({expected[i].size, largest * 1e-7, std::numeric_limits<double>::min()});
      const double exact = std::abs(expected[i].value - static_cast<double>(found[i])) / size;
      const double difference = std::isfinite(exact) ? exact : std::numeric_limits<double>::infinity();
      ++report_.inputs;
      sum_ += difference;
      ++report_.histogram[histogram_bin(difference)];
      if (difference > report_.worst) {
        report_.worst = difference;
        report_.worst_expected = expected[i].value;
        report_.worst_found = static_cast<double>(found[i]);
        report_.worst_place = name + indices(i, inner);
      }
    }
  }

  void compare_dense(const std::string& name, const OriginalDense& expected, std::size_t units,
                     const DenseWeights& found) {
    compare(name + "_weight", as_they_are(expected.weight), found.weight,
            {expected.weight.size() / std::max<std::size_t>(units, 1)});
    compare(name + "_bias", bias_or_zeros(expected.bias, units), found.bias);
  }

  [[nodiscard]] StageReport report() {
    report_.mean = report_.inputs == 0 ? 0 : sum_ / static_cast<double>(report_.inputs);
    report_.passed = report_.inputs > 0 && report_.worst <= report_.tolerance;
    if (!report_.passed) {
      report_.first_difference = report_.worst_place;
      if (!shapes_differ_) {
        report_.first_difference +=
            " should be " + shown(report_.worst_expected) + " and is " + shown(report_.worst_found);
      }
    }
    return std::move(report_);
  }

 private:
  StageReport report_;
  double sum_ = 0;
  bool shapes_differ_ = false;
};

}  // namespace

StageReport compare_weights(const Original& original, const Model& model) {
  WeightsStage stage;
  stage.compare("embedding", as_they_are(original.embedding), model.weights.embedding,
                {original.architecture.embed_dim});
  const std::size_t convs = std::max(original.conv.size(), model.weights.conv.size());
  for (std::size_t i = 0; i < convs; ++i) {
    const bool in_original = i < original.conv.size();
    const FoldedConv expected =
        in_original ? fold_again(original.conv[i], original.architecture.conv_layers[i]) : FoldedConv{};
    const ConvWeights found = i < model.weights.conv.size() ? model.weights.conv[i] : ConvWeights{};
    const std::string name = "conv" + std::to_string(i + 1);
    const std::size_t kernel = in_original ? original.architecture.conv_layers[i].kernel_size : 1;
    const std::size_t window = expected.weight.size() / std::max<std::size_t>(expected.bias.size(), 1);
    stage.compare(name + "_weight", expected.weight, found.weight, {window / kernel, kernel});
    stage.compare(name + "_bias", expected.bias, found.bias);
    stage.compare(name + "_scale", expected.scale, found.scale);
    stage.compare(name + "_shift", expected.shift, found.shift);
  }
  // The head, hidden layers and output layer alike; what one side lacks is empty on it.
  std::vector<const OriginalDense*> expected_head;
  for (const auto& dense : original.dense) expected_head.push_back(&dense);
  std::vector<const DenseWeights*> found_head;
  for (const auto& dense : model.weights.dense) found_head.push_back(&dense);
  const OriginalDense nothing_expected;
  const DenseWeights nothing_found;
  const std::size_t hidden = std::max(expected_head.size(), found_head.size());
  expected_head.resize(hidden, &nothing_expected);
  found_head.resize(hidden, &nothing_found);
  for (std::size_t i = 0; i < hidden; ++i) {
    const auto& layers = original.architecture.dense_layers;
    stage.compare_dense(hidden == 1 ? "classifier" : "dense" + std::to_string(i + 1), *expected_head[i],
                        i < layers.size() ? layers[i].units : 0, *found_head[i]);
  }
  stage.compare_dense("output", original.output, original.architecture.outputs, model.weights.output);
  return stage.report();
}

}  // namespace bytecnn::exporter
