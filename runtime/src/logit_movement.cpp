#include "logit_movement.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <vector>

namespace bytecnn {
namespace {

struct Interval {
  double low = 0, high = 0;
};

/// Of all slopes between two points, rounded outward.
Interval slopes_of(const Activation& activation) {
  const auto slope = static_cast<double>(activation.slope);
  switch (activation.kind) {
    case Activation::Kind::none:
      return {1, 1};
    case Activation::Kind::leaky_relu:
      return {std::min(slope, 1.0), std::max(slope, 1.0)};
    case Activation::Kind::gelu:
      return {-0.13, 1.13};
    case Activation::Kind::silu:
      return {-0.1, 1.1};
    case Activation::Kind::sigmoid:
      return {0, 0.25};
    default:
      return {0, 1};
  }
}

/// What one logit takes of each unit, before the layer's weights and behind them.
std::vector<Interval> through(const DenseWeights& weights, const std::vector<Interval>& units) {
  std::vector<Interval> inputs(weights.weight.size() / weights.bias.size());
  for (std::size_t u = 0; u < units.size(); ++u) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto weight = static_cast<double>(weights.weight[u * inputs.size() + i]);
      inputs[i].low += weight * (weight < 0 ? units[u].high : units[u].low);
      inputs[i].high += weight * (weight < 0 ? units[u].low : units[u].high);
    }
  }
  return inputs;
}

}  // namespace

double largest_logit_movement(const Model& model, std::span<const double> radii) {
  double largest = 0;
  for (std::size_t output = 0; output < model.weights.output.bias.size(); ++output) {
    std::vector<Interval> taken(model.weights.output.bias.size());
    taken[output] = {1, 1};
    taken = through(model.weights.output, taken);
    for (std::size_t layer = model.weights.dense.size(); layer-- > 0;) {
      const Interval slopes = slopes_of(model.architecture.dense_layers[layer].activation);
      for (Interval& unit : taken) {
        const auto products = {unit.low * slopes.low, unit.low * slopes.high, unit.high * slopes.low,
                               unit.high * slopes.high};
        unit = {std::min(products), std::max(products)};
      }
      taken = through(model.weights.dense[layer], taken);
    }
    double movement = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      movement += std::max(std::abs(taken[i].low), std::abs(taken[i].high)) * radii[i % radii.size()];
    }
    largest = std::max(largest, movement);
  }
  constexpr double own_rounding = 1e-9;
  return largest * (1 + own_rounding);
}

}  // namespace bytecnn
