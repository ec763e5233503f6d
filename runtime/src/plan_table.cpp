// Embedding and first convolution folded into tables, or the embedding alone.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "plan_builder.hpp"
#include "table_blocks.hpp"

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

void PlannedModel::build_table(const Model& model) {
  const ConvLayer& layer = model.architecture.conv_layers[0];
  const std::size_t filters = layer.filters;

  TableStage& table = plan_.table;
  table.kernel_size = layer.kernel_size;
  table.stride = layer.stride;
  table.dilation = layer.dilation;
  table.pad_left = layer.pad_left;
  table.pad_right = layer.pad_right;
  table.vectors = vectors_for(filters);

  const std::vector<double> exact = first_layer_rows(model);
  const std::vector<float> rows(exact.begin(), exact.end());
  if (plan_.pool_in_registers) {
    pack_table_blocks(rows, filters);
  } else {
    pack_table_rows(rows, filters);
  }
  build_epilogue(layer, model.weights.conv[0], std::size_t{table.vectors} * lanes_, table.epilogue);
}

void PlannedModel::pack_table_rows(const std::vector<float>& rows, std::size_t filters) {
  TableStage& table = plan_.table;
  const std::size_t width = std::size_t{table.vectors} * lanes_;
  table.row_floats = static_cast<std::uint32_t>(table.kernel_size * width);
  const std::size_t taps = rows.size() / filters;  // of all tokens
  float* packed = allocate(taps * width);
  table.rows = packed;
  for (std::size_t t = 0; t < taps; ++t) std::copy_n(&rows[t * filters], filters, packed + t * width);
}

void PlannedModel::pack_table_blocks(std::vector<float> rows, std::size_t filters) {
  TableStage& table = plan_.table;
  table.block_kernel = block_kernel(table, float_block_kernels);
  rows.insert(rows.end(), table.kernel_size * filters, -std::numeric_limits<float>::infinity());  // "nothing"
  table_blocks_ = cut_table(table, rows, filters, lanes_, float_block_parts,
                            [this](std::size_t floats) { return allocate(floats); });
  table.blocks = table_blocks_.data();
  table.block_count = static_cast<std::uint32_t>(table_blocks_.size());
}

void PlannedModel::build_embedding(const Model& model) {
  const Architecture& architecture = model.architecture;
  const std::size_t dim = architecture.embed_dim;
  TableStage& table = plan_.table;
  table.vectors = vectors_for(dim);
  table.row_floats = table.vectors * lanes_;
  float* rows = allocate((std::size_t{architecture.vocab_size} + 1) * table.row_floats);
  table.rows = rows;
  for (std::size_t token = 0; token < architecture.vocab_size; ++token) {
    std::copy_n(&model.weights.embedding[token * dim], dim, rows + token * table.row_floats);
  }
}

}  // namespace bytecnn
