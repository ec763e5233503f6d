// Embedding and first convolution folded into tables, or the embedding alone.

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

/// Vectors of filters that are pooled in registers at once: a sum and a maximum each, and room to work.
constexpr std::size_t max_block_vectors = 6;

/// Kernel sizes of which kernels/table_pool.hpp holds a loop of their own.
constexpr std::array<std::size_t, 5> kernels_written_out = {2, 3, 4, 5, 7};

/// Four lanes are few enough that a shared tail would not pay for its half loads.
bool shares_tails(std::uint32_t lanes) {
  return lanes >= 8;
}

}  // namespace

void PlannedModel::build_table(const Model& model) {
  const Architecture& architecture = model.architecture;
  const ConvLayer& layer = architecture.conv_layers[0];
  const ConvWeights& conv = model.weights.conv[0];
  const std::size_t dim = architecture.embed_dim;
  const std::size_t kernel = layer.kernel_size;
  const std::size_t filters = layer.filters;
  const std::size_t group_inputs = dim / layer.groups;
  const std::size_t group_filters = filters / layer.groups;

  TableStage& table = plan_.table;
  table.kernel_size = layer.kernel_size;
  table.stride = layer.stride;
  table.dilation = layer.dilation;
  table.pad_left = layer.pad_left;
  table.pad_right = layer.pad_right;
  table.vectors = vectors_for(filters);

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
  std::vector<float> rows((std::size_t{architecture.vocab_size} + 1) * kernel * filters);
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
      std::transform(sums.begin(), sums.end(),
                     rows.begin() + static_cast<std::ptrdiff_t>((token * kernel + k) * filters),
                     [](double sum) { return static_cast<float>(sum); });
    }
  }
  if (plan_.pool_in_registers) {
    pack_table_blocks(rows, filters);
  } else {
    pack_table_rows(rows, filters);
  }
  build_epilogue(layer, conv, std::size_t{table.vectors} * lanes_, table.epilogue);
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

void PlannedModel::pack_table_blocks(const std::vector<float>& rows, std::size_t filters) {
  TableStage& table = plan_.table;
  const std::size_t kernel = table.kernel_size;
  const std::size_t tokens = rows.size() / filters / kernel;
  const bool adjacent = table.stride == 1 && table.dilation == 1 && table.pad_left < kernel;
  const bool written_out =
      std::find(kernels_written_out.begin(), kernels_written_out.end(), kernel) != kernels_written_out.end();
  table.block_kernel = adjacent && written_out ? table.kernel_size : 0;
  const std::size_t half = lanes_ / 2;
  const std::size_t rest = filters % lanes_;
  const bool tail = table.block_kernel != 0 && shares_tails(lanes_) && rest > 0 && rest <= half;
  const std::size_t vectors = filters / lanes_ + (rest > 0 && !tail ? 1 : 0);
  const std::size_t parts = vectors + (tail ? 1 : 0);
  const std::size_t blocks = (parts + max_block_vectors - 1) / max_block_vectors;
  const std::size_t block_parts = (parts + blocks - 1) / blocks;

  for (std::size_t first = 0; first < parts; first += block_parts) {
    TableBlock block;
    const std::size_t mine = std::min(block_parts, parts - first);
    block.first = static_cast<std::uint32_t>(first * lanes_);
    block.tail = tail && first + mine == parts;
    block.vectors = static_cast<std::uint32_t>(mine - (block.tail ? 1 : 0));
    const std::size_t width = std::size_t{block.vectors} * lanes_;
    const std::size_t row_floats = kernel * width + (block.tail ? (kernel - 1) * lanes_ : 0);
    float* packed = allocate((tokens + 1) * row_floats);
    block.rows = packed;
    std::fill_n(packed + tokens * row_floats, row_floats, -std::numeric_limits<float>::infinity());
    for (std::size_t token = 0; token < tokens; ++token) {
      const float* row = &rows[token * kernel * filters];
      float* out = packed + token * row_floats;
      for (std::size_t k = 0; k < kernel; ++k) {
        const std::size_t count = std::min(width, filters - std::min<std::size_t>(filters, block.first));
        std::copy_n(row + k * filters + block.first, count, out + k * width);
      }
      if (!block.tail) continue;
      const std::size_t tail_first = block.first + width;
      for (std::size_t j = 1; j < kernel; ++j) {  // [T_j | T_j-1]
        float* at = out + kernel * width + (j - 1) * lanes_;
        std::copy_n(row + j * filters + tail_first, filters - tail_first, at);
        std::copy_n(row + (j - 1) * filters + tail_first, filters - tail_first, at + half);
      }
    }
    table_blocks_.push_back(block);
  }
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
