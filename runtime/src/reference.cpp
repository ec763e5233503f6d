#include "bytecnn/reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "reference_columns.hpp"
#include "reference_layers.hpp"

namespace bytecnn {
namespace {

using namespace reference;

Feature conv_block(const ConvLayer& layer, const ConvWeights& weights, const Feature& input) {
  return finish_block(layer, weights, convolve(layer, weights, input), input);
}

std::vector<double> dense(const DenseWeights& weights, const Activation& activation, std::span<const double> input) {
  std::vector<double> output = dense_sums(weights, input);
  for (double& x : output) x = activate(activation, x);
  return output;
}

}  // namespace

std::vector<std::vector<double>> reference_layer_outputs(const Model& model, std::span<const std::byte> input) {
  const Architecture& architecture = model.architecture;
  const std::vector<std::uint32_t> tokens = tokens_of(architecture, input);
  std::vector<std::vector<double>> outputs;
  Feature feature = embed(model, tokens);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    feature = conv_block(architecture.conv_layers[i], model.weights.conv[i], feature);
    outputs.push_back(feature.values);
  }
  outputs.push_back(pooled_features(architecture.pooling, pool_parts(feature)));
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
  reference::scores_in_place(output, scores);
  return scores;
}

}  // namespace bytecnn
