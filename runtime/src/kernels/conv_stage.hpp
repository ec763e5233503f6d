#pragma once
/// Convolutions over columns without transforms: any kernel, stride, dilation and groups that fill vectors.
///
/// direct: filters in lanes, a tile is a column, a step is one input channel under one tap. Bound: kernel_size * inputs
/// * vectors multiply-adds a column, at two a cycle (products.hpp).
///
/// paired, where filters would leave much of their last vector idle: a tile is two columns and lanes are filters x 2.
///   1. zip       columns i and i + stride -> one column of pairs           4 stores a vector of inputs and two columns
///   2. products  as above, on pairs
///   3. unzip     two vectors of pairs -> one of each column
/// 24 filters fill 3 vectors for two columns instead of 4.
///
/// Groups narrower than a vector: lanewise_stage.hpp.

#include <cstddef>
#include <cstdint>

#include "kernels/pairs.hpp"
#include "kernels/products.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Groups that do not fill their vectors leave the end of each column's last vector unwritten. What lies there takes
/// part in later products with a weight of zero, so it must be finite.
template <class Arch>
void clear_behind_groups(const ConvStage& conv, float* output, std::size_t count) noexcept {
  if (conv.groups == 1) return;
#pragma GCC unroll 1
  for (std::size_t p = 1; p <= count; ++p) {
    Floats<Arch>(0.0F).store_unaligned(output + p * conv.output_floats - lanes<Arch>);
  }
}

template <class Arch>
void direct_conv(const ConvStage& conv, const float* input, float* output, std::size_t count) noexcept {
  const ProductStage& products = conv.products;
  const std::size_t group_lanes = products.vectors * lanes<Arch>;
  ProductTask task;
  task.tile_step = std::size_t{conv.stride} * conv.input_floats;
  task.output_step = conv.output_floats;
  task.relu = conv.relu;
  clear_behind_groups<Arch>(conv, output, count);
  for (std::size_t g = 0; g < conv.groups; ++g) {
    // Groups go upwards, so that the idle lanes behind one group are overwritten by the next.
    task.offsets = products.offsets + g * products.steps;
    task.weights = conv.weights + g * products.steps * group_lanes;
    task.start = conv.bias + g * group_lanes;
    run_products<Arch, false>(products, task, input, output + g * conv.group_filters, count);
  }
}

/// Columns of pairs from the `available` columns at `input`: the i-th holds columns i and i + stride.
template <class Arch>
void zip_columns(const ConvStage& conv, const float* input, std::size_t available, std::size_t count,
                 float* zipped) noexcept {
  const std::size_t width = conv.input_floats;
  const std::size_t period = 2 * std::size_t{conv.stride};
  std::size_t residue = 0;
  for (std::size_t i = 0; i < count; ++i, zipped += 2 * width, residue = residue + 1 == period ? 0 : residue + 1) {
    if (period <= 64 && (conv.zipped_columns >> residue & 1U) == 0) continue;
    const std::size_t partner = i + conv.stride;
    const float* const first = i < available ? input + i * width : conv.zero_column;
    const float* const second = partner < available ? input + partner * width : conv.zero_column;
    for (std::size_t c = 0; c < width; c += lanes<Arch>) {
      const auto a = load<Arch>(first + c);
      const auto b = load<Arch>(second + c);
      zip_low<Arch>(a, b).store_aligned(zipped + 2 * c);
      zip_high<Arch>(a, b).store_aligned(zipped + 2 * c + lanes<Arch>);
    }
  }
}

/// Sums of one tile, `vectors` vectors of pairs, to two columns; `second` is null where that column is not wanted.
template <class Arch>
BYTECNN_INLINE void unzip_columns(const float* pairs, std::size_t vectors, float* first, float* second) {
  for (std::size_t v = 0; v < vectors; v += 2, first += lanes<Arch>) {
    const auto a = load<Arch>(pairs + v * lanes<Arch>);
    const auto b = v + 1 < vectors ? load<Arch>(pairs + (v + 1) * lanes<Arch>) : Floats<Arch>(0.0F);
    firsts<Arch>(a, b).store_unaligned(first);
    if (second == nullptr) continue;
    seconds<Arch>(a, b).store_unaligned(second);
    second += lanes<Arch>;
  }
}

template <class Arch>
void paired_conv(const ConvStage& conv, const float* input, float* output, std::size_t count, float* scratch) noexcept {
  const ProductStage& products = conv.products;
  const std::size_t group_lanes = products.vectors * lanes<Arch>;
  const std::size_t pair_width = 2 * std::size_t{conv.input_floats};
  const std::size_t reach = conv.reach();
  float* const sums = scratch;
  float* const zipped = scratch + conv.block_tiles * group_lanes;
  ProductTask task;
  task.tile_step = 2 * std::size_t{conv.stride} * pair_width;
  task.output_step = group_lanes;
  task.relu = conv.relu;
  clear_behind_groups<Arch>(conv, output, count);
  for (std::size_t done = 0; done < count; done += conv.block_columns()) {
    const std::size_t columns = count - done < conv.block_columns() ? count - done : conv.block_columns();
    const std::size_t tiles = (columns + 1) / 2;
    zip_columns<Arch>(conv, input + done * conv.stride * conv.input_floats, (columns - 1) * conv.stride + reach + 1,
                      (tiles - 1) * 2 * conv.stride + reach + 1, zipped);
    for (std::size_t g = 0; g < conv.groups; ++g) {
      task.offsets = products.offsets + g * products.steps;
      task.weights = conv.weights + g * products.steps * group_lanes;
      task.start = conv.bias + g * group_lanes;
      run_products<Arch, true>(products, task, zipped, sums, tiles);
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        float* const column = output + (done + 2 * tile) * conv.output_floats + g * conv.group_filters;
        unzip_columns<Arch>(sums + tile * group_lanes, products.vectors, column,
                            2 * tile + 1 < columns ? column + conv.output_floats : nullptr);
      }
    }
  }
}

}  // namespace bytecnn::kernels
