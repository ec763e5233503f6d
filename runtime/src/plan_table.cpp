// Embedding and first convolution folded into tables, or the embedding alone.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "first_layer_rows.hpp"
#include "plan_builder.hpp"
#include "table_blocks.hpp"

namespace bytecnn {

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
