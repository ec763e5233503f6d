#include "first_layer_rows.hpp"

#include <algorithm>
#include <cstddef>

namespace bytecnn {

FirstLayerRows::FirstLayerRows(const Model& model) : model_(model) {
  const Architecture& architecture = model.architecture;
  const ConvLayer& layer = architecture.conv_layers[0];
  const ConvWeights& conv = model.weights.conv[0];
  const std::size_t dim = architecture.embed_dim;
  const std::size_t kernel = layer.kernel_size;
  const std::size_t filters = layer.filters;
  const std::size_t group_inputs = dim / layer.groups;
  const std::size_t group_filters = filters / layer.groups;
  weight_.resize(kernel * dim * filters, 0.0);
  for (std::size_t f = 0; f < filters; ++f) {
    const std::size_t first = f / group_filters * group_inputs;
    for (std::size_t d = 0; d < group_inputs; ++d) {
      for (std::size_t k = 0; k < kernel; ++k) {
        weight_[(k * dim + first + d) * filters + f] = conv.weight[(f * group_inputs + d) * kernel + k];
      }
    }
  }
}

void FirstLayerRows::compute(std::size_t token, double* row) const {
  const Architecture& architecture = model_.architecture;
  const std::size_t dim = architecture.embed_dim;
  const std::size_t kernel = architecture.conv_layers[0].kernel_size;
  const std::size_t filters = architecture.conv_layers[0].filters;
  // Tap 0 of every window has some row, be it the one of "outside", so the bias is always there.
  std::ranges::copy(model_.weights.conv[0].bias, row);
  std::fill(row + filters, row + kernel * filters, 0.0);
  if (token >= architecture.vocab_size) return;
  for (std::size_t k = 0; k < kernel; ++k) {
    double* const sums = row + k * filters;
    for (std::size_t d = 0; d < dim; ++d) {
      const double e = model_.weights.embedding[token * dim + d];
      const double* w = &weight_[(k * dim + d) * filters];
      for (std::size_t f = 0; f < filters; ++f) sums[f] += e * w[f];
    }
  }
}

std::vector<double> first_layer_rows(const Model& model) {
  const std::size_t row =
      std::size_t{model.architecture.conv_layers[0].kernel_size} * model.architecture.conv_layers[0].filters;
  const std::size_t tokens = std::size_t{model.architecture.vocab_size} + 1;
  std::vector<double> rows(tokens * row);
  const FirstLayerRows computed(model);
  for (std::size_t token = 0; token < tokens; ++token) computed.compute(token, &rows[token * row]);
  return rows;
}

}  // namespace bytecnn
