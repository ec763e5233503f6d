#include "plan_choice.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "rounding_error.hpp"

namespace bytecnn {
namespace {

/// The promise is 1e-5 S on logits.
constexpr double max_expected_error = 9e-6;

std::string ruled_out(std::size_t layer, const std::string& method, double error) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), "conv %zu: not by %s: rounding error up to %.1e S > %.1e S\n", layer + 1,
                method.c_str(), error, max_expected_error);
  return text.data();
}

std::string measured(double error) {
  std::array<char, 128> text{};
  std::snprintf(text.data(), text.size(), "rounding error: up to %.1e S by a measured sample, 1e-5 S promised\n",
                error);
  return text.data();
}

}  // namespace

ChosenPlan choose_plan(const Model& model, const kernels::KernelTable& kernels) {
  const std::size_t layers = model.architecture.conv_layers.size();
  std::vector<WinogradLimit> limits(layers);
  const auto plan = [&](const std::vector<WinogradLimit>& limits_of_layers) {
    return PlannedModel(model, kernels.lanes, kernels.registers, limits_of_layers);
  };
  ChosenPlan chosen{plan(limits), {}};
  const auto uses_any = [&] {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      if (chosen.planned.uses_winograd(layer)) return true;
    }
    return false;
  };
  if (!uses_any()) return chosen;

  const RoundingProbe probe(model, chosen.planned.plan());
  double error = probe.expected_error(chosen.planned.plan(), kernels.run);
  // Written so that a result that is not a number counts as too large.
  while (!(error <= max_expected_error) && uses_any()) {
    std::size_t worst = 0;
    double largest = -1;
    for (std::size_t layer = 0; layer < layers; ++layer) {
      if (!chosen.planned.uses_winograd(layer)) continue;
      std::vector<WinogradLimit> alone(layers, WinogradLimit{0, 0});
      alone[layer] = limits[layer];
      const double of_layer = probe.expected_error(plan(alone).plan(), kernels.run);
      if (!(of_layer <= largest)) {
        worst = layer;
        largest = of_layer;
      }
    }
    const std::string method = chosen.planned.method(worst);
    chosen.reasons += ruled_out(worst, method, error);
    do {  // a layer of few channels has short chains already
      limits[worst] = limits[worst].stricter();
      chosen.planned = plan(limits);
    } while (chosen.planned.method(worst) == method);
    error = probe.expected_error(chosen.planned.plan(), kernels.run);
  }
  chosen.reasons += measured(error);
  return chosen;
}

}  // namespace bytecnn
