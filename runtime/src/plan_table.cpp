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

  if (plan_.pool_in_registers) {
    const std::vector<double> exact = first_layer_rows(model);
    pack_table_blocks({exact.begin(), exact.end()}, filters);
  } else {
    pack_table_rows(model);
  }
  build_epilogue(layer, model.weights.conv[0], std::size_t{table.vectors} * lanes_, table.epilogue);
}

void PlannedModel::pack_table_rows(const Model& model) {
  TableStage& table = plan_.table;
  const std::size_t filters = model.architecture.conv_layers[0].filters;
  const std::size_t width = std::size_t{table.vectors} * lanes_;
  const std::size_t tokens = std::size_t{model.architecture.vocab_size} + 1;
  table.row_floats = static_cast<std::uint32_t>(table.kernel_size * width);
  float* packed = allocate((tokens + 1) * table.row_floats);
  table.rows = packed;
  // Token by token: the whole table in double would be twice as much memory to touch as what is kept.
  const FirstLayerRows rows(model);
  std::vector<double> row(table.kernel_size * filters);
  for (std::size_t token = 0; token < tokens; ++token) {
    rows.compute(token, row.data());
    for (std::size_t k = 0; k < table.kernel_size; ++k, packed += width) {
      std::transform(&row[k * filters], &row[k * filters] + filters, packed,
                     [](double x) { return static_cast<float>(x); });
    }
  }
  std::fill_n(packed, table.row_floats, -std::numeric_limits<float>::infinity());
}

void PlannedModel::pack_table_blocks(std::vector<float> rows, std::size_t filters) {
  TableStage& table = plan_.table;
  table.block_kernel = block_kernel(table, float_block_kernels);
  rows.insert(rows.end(), table.kernel_size * filters, -std::numeric_limits<float>::infinity());  // "nothing"
  table_blocks_ = cut_table(table, rows, filters, lanes_, most_block_parts(table.block_kernel, lanes_, false),
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
