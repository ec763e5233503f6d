#include "verify/bound/exact_layers.hpp"

#include <cmath>

#include "verify/bound/outward.hpp"

namespace bytecnn::exporter {
namespace {

/// sqrt, division and two products and sums round at most so often.
constexpr double folding_roundings = 10 * double_roundoff;

ExactTensor exact(const std::vector<double>& values) {
  return {values, std::vector<double>(values.size(), 0.0)};
}

}  // namespace

ExactTensor exact_bias(const std::vector<double>& bias, std::size_t size) {
  return exact(bias.empty() ? std::vector<double>(size, 0.0) : bias);
}

ExactConv exact_conv(const OriginalConv& conv, const ConvLayer& layer) {
  ExactConv result{exact(conv.weight), exact_bias(conv.bias, layer.filters), {}, {}};
  if (!layer.batch_norm) return result;
  const OriginalBatchNorm& norm = conv.batch_norm;
  const std::size_t window = conv.weight.size() / layer.filters;
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const double factor = norm.gamma[f] / std::sqrt(norm.variance[f] + layer.batch_norm->eps);
    if (layer.batch_norm->position == BatchNormSpec::Position::after_activation) {
      result.scale.value.push_back(factor);
      result.scale.uncertainty.push_back(folding_roundings * std::abs(factor));
      result.shift.value.push_back(norm.beta[f] - norm.mean[f] * factor);
      result.shift.uncertainty.push_back(folding_roundings *
                                         (std::abs(norm.beta[f]) + std::abs(norm.mean[f] * factor)));
      continue;
    }
    for (std::size_t i = f * window; i < (f + 1) * window; ++i) {
      result.weight.value[i] *= factor;
      result.weight.uncertainty[i] = folding_roundings * std::abs(result.weight.value[i]);
    }
    const double bias = result.bias.value[f];
    result.bias.value[f] = (bias - norm.mean[f]) * factor + norm.beta[f];
    result.bias.uncertainty[f] =
        folding_roundings * ((std::abs(bias) + std::abs(norm.mean[f])) * std::abs(factor) + std::abs(norm.beta[f]));
  }
  return result;
}

std::vector<double> deviations(const ExactTensor& exact, const std::vector<float>& exported) {
  std::vector<double> result(exact.value.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = outward(std::abs(exact.value[i] - static_cast<double>(exported[i])) + exact.uncertainty[i], 2);
  }
  return result;
}

}  // namespace bytecnn::exporter
