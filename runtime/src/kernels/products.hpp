#pragma once
/// Sums of products: what every convolution but the depthwise one comes down to.
///
///   output[tile][lane] = start[lane] + sum over steps s of weights[s][lane] * input[tile * tile_step + offsets[s]]
///
/// A block of Tiles x Vectors sums stays in registers. A step loads Vectors vectors of weights and spreads one number
/// (or one pair, see pairs.hpp) a tile for Tiles * Vectors multiply-adds. Bound: those, at two a cycle; its Tiles +
/// Vectors loads, at two a cycle, are fewer wherever both sides of the block exceed 2.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/pairs.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Handed on by reference and changed field by field: a copy made in wide vectors of what was just stored in words
/// waits for all stores before it, which costs a tenth of a block.
struct ProductTask {
  std::size_t tile_step = 0;  ///< floats from tile to tile of the input
  const std::uint32_t* offsets = nullptr;
  std::size_t steps = 0;
  const float* weights = nullptr;
  const float* start = nullptr;  ///< null: zeros
  std::size_t output_step = 0;   ///< floats from tile to tile
  bool add = false;              ///< the output holds sums already, to which these are added
  bool relu = false;
};

template <class Arch, std::size_t Vectors, std::size_t Tiles, bool Pairs>
__attribute__((noinline)) void product_block(const ProductTask& task, const float* input, float* output) noexcept {
  using V = Floats<Arch>;
  V sums[Tiles][Vectors];
#pragma GCC unroll 12
  for (std::size_t v = 0; v < Vectors; ++v) {
    const V start = task.start == nullptr ? V(0.0F) : load<Arch>(task.start + v * lanes<Arch>);
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) sums[t][v] = start;
  }
  const std::size_t tile_step = task.tile_step;
  const std::size_t output_step = task.output_step;
  const float* weights = task.weights;
  const std::uint32_t* const end = task.offsets + task.steps;
  for (const std::uint32_t* offset = task.offsets; offset != end; ++offset) {
    const float* x = input + *offset;
    V w[Vectors];
#pragma GCC unroll 12
    for (std::size_t v = 0; v < Vectors; ++v) w[v] = load<Arch>(weights + v * lanes<Arch>);
    weights += Vectors * lanes<Arch>;
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
      const V factor = spread<Arch, Pairs>(x + t * tile_step);
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) sums[t][v] = multiply_add<Arch>(w[v], factor, sums[t][v]);
    }
  }
  if (task.add) {
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[t][v] += load_unaligned<Arch>(output + t * output_step + v * lanes<Arch>);
      }
    }
  }
  if (task.relu) {
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) sums[t][v] = positive_max<Arch>(sums[t][v], V(0.0F));
    }
  }
#pragma GCC unroll 12
  for (std::size_t t = 0; t < Tiles; ++t) {
#pragma GCC unroll 12
    for (std::size_t v = 0; v < Vectors; ++v) {
      sums[t][v].store_unaligned(output + t * output_step + v * lanes<Arch>);
    }
  }
}

using ProductBlock = void (*)(const ProductTask& task, const float* input, float* output) noexcept;

template <class Arch, std::size_t Vectors, bool Pairs, class Heights>
struct ProductBlocks;

template <class Arch, std::size_t Vectors, bool Pairs, std::size_t... Heights>
struct ProductBlocks<Arch, Vectors, Pairs, std::index_sequence<Heights...>> {
  static constexpr ProductBlock of_height[] = {product_block<Arch, Vectors, Heights + 1, Pairs>...};
};

/// `tiles` tiles of one block of vectors, in register blocks of nearly equal height.
template <class Arch, std::size_t Vectors, bool Pairs>
void product_tiles(const ProductTask& task, const float* input, float* output, std::size_t tiles) noexcept {
  constexpr std::size_t most = most_product_tiles(registers<Arch>, lanes<Arch>, Vectors);
  for (std::size_t blocks = (tiles + most - 1) / most; blocks > 0; --blocks) {
    const std::size_t height = blocks == 1 ? tiles : (tiles + blocks - 1) / blocks;
    ProductBlocks<Arch, Vectors, Pairs, std::make_index_sequence<most>>::of_height[height - 1](task, input, output);
    input += height * task.tile_step;
    output += height * task.output_step;
    tiles -= height;
  }
}

/// All blocks and chains of `stage` over `tiles` tiles. `task` has its steps set, the stage's first offsets, weights
/// and start, and `relu`; these and the rest are changed.
template <class Arch, bool Pairs>
void run_products(const ProductStage& stage, ProductTask& task, const float* input, float* output,
                  std::size_t tiles) noexcept {
  constexpr std::size_t most = most_product_vectors(registers<Arch>, lanes<Arch>);
  const bool relu = task.relu;
  const float* start = task.start;
  const std::uint32_t* const offsets = task.offsets;
  for (std::size_t block = 0; block < stage.blocks; ++block) {
    const std::size_t vectors = stage.block_vectors - (block < stage.wide_blocks ? 0 : 1);
    task.start = start;
    task.add = false;
    for (std::size_t step = 0; step < stage.steps; step += stage.chain_steps) {
      const std::size_t left = stage.steps - step;
      task.steps = left < stage.chain_steps ? left : stage.chain_steps;
      task.offsets = offsets + step;
      task.relu = relu && task.steps == left;
      switch (vectors) {
        case 1:
          product_tiles<Arch, 1, Pairs>(task, input, output, tiles);
          break;
        case 2:
          product_tiles<Arch, 2, Pairs>(task, input, output, tiles);
          break;
        case 3:
          if constexpr (most >= 3) product_tiles<Arch, 3, Pairs>(task, input, output, tiles);
          break;
        case 4:
          if constexpr (most >= 4) product_tiles<Arch, 4, Pairs>(task, input, output, tiles);
          break;
        default:
          if constexpr (most >= 5) product_tiles<Arch, 5, Pairs>(task, input, output, tiles);
          break;
      }
      task.weights += task.steps * vectors * lanes<Arch>;
      task.start = nullptr;
      task.add = true;
    }
    if (start != nullptr) start += vectors * lanes<Arch>;
    output += vectors * lanes<Arch>;
  }
  task.relu = relu;
}

}  // namespace bytecnn::kernels
