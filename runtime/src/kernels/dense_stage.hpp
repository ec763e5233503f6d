#pragma once
/// Dense layers and scores for one input: units in lanes, one broadcast input at a time. Several chains of FMAs run
/// side by side, or their latency would be the bound: a layer costs inputs * vectors FMAs.

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "kernels/activations.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Vectors vectors of units, Chains sums each; with relu where that is the activation.
template <class Arch, std::size_t Vectors, std::size_t Chains>
void dense_block(const DenseStage& dense, std::size_t first, const float* input, float* output) noexcept {
  using V = Floats<Arch>;
  const std::size_t width = dense.vectors * lanes<Arch>;
  const float* weights = dense.weights + first * lanes<Arch>;
  V sums[Chains][Vectors];
#pragma GCC unroll 8
  for (std::size_t v = 0; v < Vectors; ++v) {
    sums[0][v] = load<Arch>(dense.bias + (first + v) * lanes<Arch>);
#pragma GCC unroll 8
    for (std::size_t chain = 1; chain < Chains; ++chain) sums[chain][v] = V(0.0F);
  }
  const bool rectified = dense.activation == Activation::Kind::relu;
  std::size_t i = 0;
  for (; i + Chains <= dense.inputs; i += Chains) {
#pragma GCC unroll 8
    for (std::size_t chain = 0; chain < Chains; ++chain, weights += width) {
      const V x(input[i + chain]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[chain][v] = multiply_add<Arch>(load<Arch>(weights + v * lanes<Arch>), x, sums[chain][v]);
      }
    }
  }
  for (; i < dense.inputs; ++i, weights += width) {
    const V x(input[i]);
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      sums[0][v] = multiply_add<Arch>(load<Arch>(weights + v * lanes<Arch>), x, sums[0][v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t v = 0; v < Vectors; ++v) {
#pragma GCC unroll 8
    for (std::size_t chain = 1; chain < Chains; ++chain) sums[0][v] += sums[chain][v];
    if (rectified) sums[0][v] = relu<Arch>(sums[0][v]);
    sums[0][v].store_aligned(output + (first + v) * lanes<Arch>);
  }
}

/// A single unit: inputs in lanes. Weights are zero behind the last input, and what the input holds there is finite.
template <class Arch>
BYTECNN_INLINE float dot_product(const float* weights, const float* input, std::size_t count) noexcept {
  using V = Floats<Arch>;
  V even(0.0F);
  V odd(0.0F);
  std::size_t i = 0;
  for (; i + lanes<Arch> < count; i += 2 * lanes<Arch>) {
    even = multiply_add<Arch>(load<Arch>(weights + i), load<Arch>(input + i), even);
    odd = multiply_add<Arch>(load<Arch>(weights + i + lanes<Arch>), load<Arch>(input + i + lanes<Arch>), odd);
  }
  if (i < count) even = multiply_add<Arch>(load<Arch>(weights + i), load<Arch>(input + i), even);
  return sum_lanes<Arch>(even + odd);
}

/// Vectors of units that are computed together while there are as many left, and the chains of each of their sums.
inline constexpr std::size_t dense_wide_vectors = 8;
template <class Arch>
inline constexpr std::size_t dense_wide_chains = registers<Arch> == 32 ? 2 : 1;

/// The sums of the first `done` vectors of units (a multiple of `dense_wide_vectors`) are there already.
template <class Arch>
__attribute__((noinline)) void dense_layer(const DenseStage& dense, const float* input, float* output,
                                           std::size_t done = 0) noexcept {
  if (dense.units == 1) {
    for (std::size_t i = 0; i < lanes<Arch>; ++i) output[i] = 0.0F;
    output[0] = dense.bias[0] + dot_product<Arch>(dense.weights, input, dense.inputs);
  } else {
    constexpr std::size_t chains = dense_wide_chains<Arch>;
    std::size_t v = done;
    for (; dense.vectors - v >= dense_wide_vectors; v += dense_wide_vectors) {
      dense_block<Arch, dense_wide_vectors, chains>(dense, v, input, output);
    }
    if (dense.vectors - v >= 4) {
      dense_block<Arch, 4, 2 * chains>(dense, v, input, output);
      v += 4;
    }
    switch (dense.vectors - v) {
      case 3:
        dense_block<Arch, 3, 2 * chains>(dense, v, input, output);
        break;
      case 2:
        dense_block<Arch, 2, 4>(dense, v, input, output);
        break;
      case 1:
        dense_block<Arch, 1, 8>(dense, v, input, output);
        break;
      default:
        break;
    }
  }
  if (dense.activation != Activation::Kind::relu || dense.units == 1) {
    activate<Arch>(output, dense.vectors, dense.activation, dense.slope);
  }
}

/// The logit and the score of a single sigmoid unit. One exponential is sooner done by the C library than in a vector,
/// whose latency nothing hides here: 53 cycles with the division instead of 70 to 90.
template <class Arch>
void single_sigmoid(const DenseStage& dense, const float* input, float* logit, float* score) noexcept {
  const float z = dense.bias[0] + dot_product<Arch>(dense.weights, input, dense.inputs);
  *logit = z;
  *score = 1.0F / (1.0F + std::exp(-z));
}

/// Scores in place of `count` logits; the memory is aligned and holds whole vectors.
template <class Arch>
void scores_in_place(Output kind, float* values, std::size_t count) noexcept {
  using V = Floats<Arch>;
  if (kind == Output::none) return;
  const std::size_t width = (count + lanes<Arch> - 1) / lanes<Arch> * lanes<Arch>;
  if (kind == Output::sigmoid) {
    for (std::size_t i = 0; i < width; i += lanes<Arch>)
      sigmoid<Arch>(load<Arch>(values + i)).store_aligned(values + i);
    return;
  }
  float largest = values[0];
  for (std::size_t i = 1; i < count; ++i) largest = largest < values[i] ? values[i] : largest;
  for (std::size_t i = count; i < width; ++i) values[i] = largest - 1000.0F;  // vanishes: exp underflows
  V sum(0.0F);
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    const V x = xsimd::exp(load<Arch>(values + i) - V(largest));
    x.store_aligned(values + i);
    sum += x;
  }
  const V divisor(sum_lanes<Arch>(sum));
  for (std::size_t i = 0; i < width; i += lanes<Arch>) (load<Arch>(values + i) / divisor).store_aligned(values + i);
}

}  // namespace bytecnn::kernels
