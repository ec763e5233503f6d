#pragma once
/// Sums of products: what every convolution but the depthwise one comes down to.
///
///   output[tile][lane] = start[lane] + sum over steps s of weights[s][lane] * input[tile * tile_step + offsets[s]]
///
/// A block of Tiles x Vectors sums stays in registers. A step loads Vectors vectors of weights and spreads one number
/// (or one pair, see pairs.hpp) a tile for Tiles * Vectors multiply-adds. Bound: those, at two a cycle; its Tiles +
/// Vectors loads, at two a cycle, are fewer wherever both sides of the block exceed 2.
/// Sums of pairs come in chains (`product_chains`), of which two may run side by side in blocks half as high.

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
  std::size_t second_steps = 0;  ///< of a second chain, no more than those; the two alternate while both last
  const float* weights = nullptr;
  const float* start = nullptr;  ///< null: zeros
  std::size_t output_step = 0;   ///< floats from tile to tile
  bool add = false;              ///< of pairs: the output holds sums already, to which these are added
  bool relu = false;
};

template <class Arch, std::size_t Vectors, std::size_t Tiles, bool Pairs>
__attribute__((noinline)) void product_block(const ProductTask& task, const float* input, float* output) noexcept {
  using V = Floats<Arch>;
  constexpr bool two_chains = product_chains(registers<Arch>, Pairs) == 2;
  V sums[Tiles][Vectors];
  V second_sums[Tiles][Vectors];  // of a second chain
#pragma GCC unroll 12
  for (std::size_t v = 0; v < Vectors; ++v) {
    const V start = task.start == nullptr ? V(0.0F) : load<Arch>(task.start + v * lanes<Arch>);
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
      sums[t][v] = start;
      second_sums[t][v] = V(0.0F);
    }
  }
  const std::size_t tile_step = task.tile_step;
  const std::size_t output_step = task.output_step;
  // Where registers are left for them, an address a tile: else each is added up from the last one, step by step.
  constexpr bool few_tiles = Tiles <= 6;
  const float* tile_inputs[Tiles];
#pragma GCC unroll 12
  for (std::size_t t = 0; t < Tiles; ++t) {
    tile_inputs[t] = input + t * tile_step;
    if constexpr (few_tiles) tile_inputs[t] = in_register(tile_inputs[t]);
  }
  const auto add_step = [&](V(&to)[Tiles][Vectors], std::size_t offset, const float* weights)
      __attribute__((always_inline)) {
    V w[Vectors];
#pragma GCC unroll 12
    for (std::size_t v = 0; v < Vectors; ++v) {
      w[v] = load<Arch>(weights + v * lanes<Arch>);
      if constexpr (Tiles > 1) w[v] = in_register<Arch>(w[v]);
    }
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
      const V factor = spread<Arch, Pairs>(few_tiles ? tile_inputs[t] + offset : input + offset + t * tile_step);
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) to[t][v] = multiply_add<Arch>(w[v], factor, to[t][v]);
    }
  };
  constexpr std::size_t width = Vectors * lanes<Arch>;
  const float* weights = task.weights;
  const std::uint32_t* offset = task.offsets;
  if constexpr (two_chains) {
    for (const std::uint32_t* const end = offset + 2 * task.second_steps; offset != end; offset += 2) {
      add_step(sums, offset[0], weights);
      add_step(second_sums, offset[1], weights + width);
      weights += 2 * width;
    }
  }
  for (std::size_t left = task.steps - task.second_steps; left > 0; --left, ++offset, weights += width) {
    add_step(sums, *offset, weights);
  }
  if constexpr (Pairs) {
    if (task.add) {
#pragma GCC unroll 12
      for (std::size_t t = 0; t < Tiles; ++t) {
        const float* const from = in_register(output + t * output_step);
#pragma GCC unroll 12
        for (std::size_t v = 0; v < Vectors; ++v) sums[t][v] += load_unaligned<Arch>(from + v * lanes<Arch>);
      }
    }
  }
  if constexpr (two_chains) {
#pragma GCC unroll 12
    for (std::size_t t = 0; t < Tiles; ++t) {
#pragma GCC unroll 12
      for (std::size_t v = 0; v < Vectors; ++v) sums[t][v] += second_sums[t][v];
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
    float* const to = in_register(output + t * output_step);
#pragma GCC unroll 12
    for (std::size_t v = 0; v < Vectors; ++v) sums[t][v].store_unaligned(to + v * lanes<Arch>);
  }
}

using ProductBlock = void (*)(const ProductTask& task, const float* input, float* output) noexcept;

template <class Arch, std::size_t Vectors, bool Pairs, class Heights>
struct ProductBlocks;

template <class Arch, std::size_t Vectors, bool Pairs, std::size_t... Heights>
struct ProductBlocks<Arch, Vectors, Pairs, std::index_sequence<Heights...>> {
  static constexpr ProductBlock of_height[] = {product_block<Arch, Vectors, Heights + 1, Pairs>...};
};

/// Matrix products of one shape, whose weights take turns block by block: floats from one to the next.
struct ProductParts {
  std::size_t count = 1;
  std::size_t input_step = 0;
  std::size_t output_step = 0;
};

/// Register blocks of one width: of 1, ..., `most` tiles.
struct ProductHeights {
  const ProductBlock* of_height;
  std::uint32_t most;
};

template <class Arch, bool Pairs, class Widths>
struct ProductWidths;

template <class Arch, bool Pairs, std::size_t... Widths>
struct ProductWidths<Arch, Pairs, std::index_sequence<Widths...>> {
  template <std::size_t Vectors>
  static constexpr std::uint32_t most = most_product_tiles(registers<Arch>, lanes<Arch>, Vectors, Pairs);
  static constexpr ProductHeights of_width[] = {
      {ProductBlocks<Arch, Widths + 1, Pairs, std::make_index_sequence<most<Widths + 1>>>::of_height,
       most<Widths + 1>}...};
};

/// `tiles` tiles of one block of vectors, in register blocks of nearly equal height; the weights of parts lie
/// `weight_step` apart.
template <class Arch>
__attribute__((noinline)) void product_tiles(const ProductHeights& heights, ProductTask& task,
                                             const ProductParts& parts, std::size_t weight_step, const float* inputs,
                                             float* outputs, std::uint32_t tiles) noexcept {
  const float* const weights = task.weights;
  const std::uint32_t blocks = (tiles + heights.most - 1) / heights.most;
  for (std::size_t part = 0; part < parts.count; ++part, task.weights += weight_step) {
    const float* input = inputs + part * parts.input_step;
    float* output = outputs + part * parts.output_step;
    std::uint32_t left = tiles;
    for (std::uint32_t block = blocks; block > 0; --block) {
      const std::uint32_t height = block == 1 ? left : (left + block - 1) / block;
      heights.of_height[height - 1](task, input, output);
      input += height * task.tile_step;
      output += height * task.output_step;
      left -= height;
    }
  }
  task.weights = weights;
}

/// All blocks and chains of `stage` over `tiles` tiles. `task` has its steps set, the stage's first offsets, weights
/// and start, and `relu`; these and the rest are changed.
template <class Arch, bool Pairs>
__attribute__((noinline)) void run_products(const ProductStage& stage, ProductTask& task, const float* input,
                                            float* output, std::size_t tiles, const ProductParts& parts = {}) noexcept {
  constexpr std::size_t most = most_product_vectors(registers<Arch>, lanes<Arch>, Pairs);
  constexpr bool two_chains = product_chains(registers<Arch>, Pairs) == 2;
  const bool relu = task.relu;
  const float* start = task.start;
  const std::uint32_t* const offsets = task.offsets;
  for (std::size_t block = 0; block < stage.blocks; ++block) {
    const std::size_t vectors = stage.block_vectors - (block < stage.wide_blocks ? 0 : 1);
    task.start = start;
    task.add = false;
    for (std::size_t step = 0; step < stage.steps;) {
      const std::size_t left = stage.steps - step;
      task.steps = smaller<std::size_t>(left, stage.chain_steps);
      task.second_steps = two_chains ? smaller<std::size_t>(left - task.steps, stage.chain_steps) : 0;
      task.offsets = offsets + step;
      const std::size_t taken = task.steps + task.second_steps;
      task.relu = relu && taken == left;
      product_tiles<Arch>(ProductWidths<Arch, Pairs, std::make_index_sequence<most>>::of_width[vectors - 1], task,
                          parts, stage.steps * vectors * lanes<Arch>, input, output, static_cast<std::uint32_t>(tiles));
      task.weights += taken * vectors * lanes<Arch>;
      task.start = nullptr;
      task.add = true;
      step += taken;
    }
    task.weights += (parts.count - 1) * stage.steps * vectors * lanes<Arch>;
    if (start != nullptr) start += vectors * lanes<Arch>;
    output += vectors * lanes<Arch>;
  }
  task.relu = relu;
}

}  // namespace bytecnn::kernels
