#include "first_layer_rows.hpp"

#include <algorithm>
#include <cstddef>

namespace bytecnn {

std::vector<double> first_layer_rows(const Model& model) {
  const Architecture& architecture = model.architecture;
  const ConvLayer& layer = architecture.conv_layers[0];
  const ConvWeights& conv = model.weights.conv[0];
  const std::size_t dim = architecture.embed_dim;
  const std::size_t kernel = layer.kernel_size;
  const std::size_t filters = layer.filters;
  const std::size_t group_inputs = dim / layer.groups;
  const std::size_t group_filters = filters / layer.groups;

  // weight[tap][d][filter] in double, so that the innermost loop runs over filters.
  std::vector<double> weight(kernel * dim * filters, 0.0);
  for (std::size_t f = 0; f < filters; ++f) {
    const std::size_t first = f / group_filters * group_inputs;
    for (std::size_t d = 0; d < group_inputs; ++d) {
      for (std::size_t k = 0; k < kernel; ++k) {
        weight[(k * dim + first + d) * filters + f] = conv.weight[(f * group_inputs + d) * kernel + k];
      }
    }
  }
  // rows[token][tap][filter]; the last token is "outside the input".
  std::vector<double> rows((std::size_t{architecture.vocab_size} + 1) * kernel * filters);
  std::vector<double> sums(filters);
  for (std::size_t token = 0; token <= architecture.vocab_size; ++token) {
    for (std::size_t k = 0; k < kernel; ++k) {
      // Tap 0 of every window has some row, be it the one of "outside", so the bias is always there.
      if (k == 0) {
        std::copy(conv.bias.begin(), conv.bias.end(), sums.begin());
      } else {
        std::fill(sums.begin(), sums.end(), 0.0);
      }
      if (token < architecture.vocab_size) {
        for (std::size_t d = 0; d < dim; ++d) {
          const double e = model.weights.embedding[token * dim + d];
          const double* w = &weight[(k * dim + d) * filters];
          for (std::size_t f = 0; f < filters; ++f) sums[f] += e * w[f];
        }
      }
      std::copy(sums.begin(), sums.end(), rows.begin() + static_cast<std::ptrdiff_t>((token * kernel + k) * filters));
    }
  }
  return rows;
}

}  // namespace bytecnn
