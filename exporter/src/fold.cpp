/// Folding: (conv, batch norm) -> conv, in double, rounded to float once at the very end.

#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "bytecnn/batch_norm.hpp"
#include "bytecnn/error.hpp"

#include "original.hpp"

namespace bytecnn::exporter {
namespace {

/// Rounds to float. `per_channel` numbers belong to one channel; an overflow names it.
std::vector<float> round_once(const std::vector<double>& values, std::size_t per_channel, const std::string& what) {
  std::vector<float> rounded(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    // The conversion of a double beyond float's range is undefined in C++, so it is compared first.
    if (!(std::fabs(values[i]) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      throw Error(ErrorCode::invalid, "a number does not fit into float32",
                  what + ", channel " + std::to_string(i / per_channel), "at most 3.4028235e38",
                  std::to_string(values[i]));
    }
    rounded[i] = static_cast<float>(values[i]);
  }
  return rounded;
}

DenseWeights round_dense(const OriginalDense& dense, std::size_t units, const std::string& what) {
  DenseWeights weights;
  weights.weight = round_once(dense.weight, dense.weight.size() / units, what + " weight");
  weights.bias = dense.bias.empty() ? std::vector<float>(units, 0.0F) : round_once(dense.bias, 1, what + " bias");
  return weights;
}

ConvWeights fold_conv(const OriginalConv& conv, const ConvLayer& layer, const std::string& name) {
  std::vector<double> weight = conv.weight;
  std::vector<double> bias = conv.bias.empty() ? std::vector<double>(layer.filters, 0.0) : conv.bias;
  ConvWeights folded;
  std::string place = name;
  if (layer.batch_norm) {
    ScaleShift norm;
    try {
      norm = scale_and_shift({.gamma = conv.batch_norm.gamma,
                              .beta = conv.batch_norm.beta,
                              .mean = conv.batch_norm.mean,
                              .variance = conv.batch_norm.variance,
                              .eps = layer.batch_norm->eps});
    } catch (const Error& error) {
      throw error.at("batch norm of " + name);
    }
    if (layer.batch_norm->position == BatchNormSpec::Position::before_activation) {
      fold_batch_norm(norm, weight, bias);
      place = name + " with its batch norm folded in";
    } else {
      folded.scale = round_once(norm.scale, 1, name + " scale");
      folded.shift = round_once(norm.shift, 1, name + " shift");
    }
  }
  folded.weight = round_once(weight, weight.size() / layer.filters, place + " weight");
  folded.bias = round_once(bias, 1, place + " bias");
  return folded;
}

}  // namespace

Model fold(const Original& original) {
  const Architecture& architecture = original.architecture;
  Model model;
  model.architecture = architecture;
  model.info.parameters = original.parameters;
  model.info.assumed = original.sources;
  Weights& weights = model.weights;
  weights.embedding = round_once(original.embedding, architecture.embed_dim, "embedding");
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    weights.conv.push_back(fold_conv(original.conv[i], architecture.conv_layers[i], "conv" + std::to_string(i + 1)));
    // What was folded is gone; what stands behind the activation is still a part of the model.
    if (weights.conv.back().scale.empty()) model.architecture.conv_layers[i].batch_norm.reset();
  }
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    weights.dense.push_back(
        round_dense(original.dense[i], architecture.dense_layers[i].units, "dense" + std::to_string(i + 1)));
  }
  weights.output = round_dense(original.output, architecture.outputs, "output");
  validate(model);
  return model;
}

}  // namespace bytecnn::exporter
