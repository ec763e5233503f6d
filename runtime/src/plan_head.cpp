// Dense layers and the output layer.

#include <algorithm>
#include <cstddef>

#include "plan_builder.hpp"

namespace bytecnn {

void PlannedModel::build_head(const Model& model) {
  const auto add = [this](const DenseWeights& weights, const Activation& activation) {
    DenseStage stage;
    stage.units = static_cast<std::uint32_t>(weights.bias.size());
    stage.inputs = static_cast<std::uint32_t>(weights.weight.size() / weights.bias.size());
    stage.vectors = vectors_for(stage.units);
    stage.activation = activation.kind;
    stage.slope = activation.slope;
    const std::size_t width = std::size_t{stage.vectors} * lanes_;
    float* bias = allocate(width);
    std::copy(weights.bias.begin(), weights.bias.end(), bias);
    stage.bias = bias;
    const bool single = stage.units == 1;  // then the inputs lie in lanes
    float* packed = allocate(single ? round_up(stage.inputs, lanes_) : stage.inputs * width);
    for (std::size_t u = 0; u < stage.units; ++u) {
      for (std::size_t i = 0; i < stage.inputs; ++i) {
        packed[single ? i : i * width + u] = weights.weight[u * stage.inputs + i];
      }
    }
    stage.weights = packed;
    dense_.push_back(stage);
  };
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    add(model.weights.dense[i], model.architecture.dense_layers[i].activation);
  }
  add(model.weights.output, {Activation::Kind::none});
  plan_.dense = dense_.data();
  plan_.dense_count = static_cast<std::uint32_t>(dense_.size());
}

}  // namespace bytecnn
