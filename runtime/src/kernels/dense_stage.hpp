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

/// Vectors vectors of units, Chains sums each; with relu where that is the activation. They are stored, or multiplied
/// by the weights of a single unit behind them: then the products' sum is returned, lane by lane, as by
/// `unit_products`.
template <class Arch, std::size_t Vectors, std::size_t Chains>
Floats<Arch> dense_block(const DenseStage& dense, std::size_t first, const float* input, float* output,
                         const float* unit_weights) noexcept {
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
  const V floor = relu_floor<Arch>(dense.activation == Activation::Kind::relu);
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
    sums[0][v] = xsimd::max(sums[0][v], floor);
  }
  V products[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
  if (unit_weights == nullptr) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) sums[0][v].store_aligned(output + (first + v) * lanes<Arch>);
  } else {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      const V weight = load<Arch>(unit_weights + (first + v) * lanes<Arch>);
      products[v % 4] = multiply_add<Arch>(weight, sums[0][v], products[v % 4]);
    }
  }
  return (products[0] + products[1]) + (products[2] + products[3]);
}

/// Vectors of units that are computed together while there are as many left, and the chains of each of their sums.
inline constexpr std::size_t dense_wide_vectors = 8;
template <class Arch>
inline constexpr std::size_t dense_wide_chains = registers<Arch> == 32 ? 2 : 1;

/// All units from vector `v` on, stored or multiplied by `unit_weights`: then the products are added to `products`.
template <class Arch>
BYTECNN_INLINE Floats<Arch> dense_blocks(const DenseStage& dense, std::size_t v, const float* input, float* output,
                                         const float* unit_weights, Floats<Arch> products) noexcept {
  constexpr std::size_t chains = dense_wide_chains<Arch>;
  for (; dense.vectors - v >= dense_wide_vectors; v += dense_wide_vectors) {
    products += dense_block<Arch, dense_wide_vectors, chains>(dense, v, input, output, unit_weights);
  }
  if (dense.vectors - v >= 4) {
    products += dense_block<Arch, 4, 2 * chains>(dense, v, input, output, unit_weights);
    v += 4;
  }
  switch (dense.vectors - v) {
    case 3:
      return products + dense_block<Arch, 3, 2 * chains>(dense, v, input, output, unit_weights);
    case 2:
      return products + dense_block<Arch, 2, 4>(dense, v, input, output, unit_weights);
    case 1:
      return products + dense_block<Arch, 1, 8>(dense, v, input, output, unit_weights);
    default:
      return products;
  }
}

/// A single unit: inputs in lanes, their products added to `products`. Weights are zero behind the last input, and what
/// the input holds there is finite. The sums are those of `dense_blocks`, block by block: whether a layer was stored or
/// not, its unit has the same bits.
template <class Arch>
BYTECNN_INLINE Floats<Arch> unit_products(const float* weights, const float* input, std::size_t vectors,
                                          Floats<Arch> products) noexcept {
  using V = Floats<Arch>;
  const auto add = [&](V & sum, std::size_t v) __attribute__((always_inline)) {
    sum = multiply_add<Arch>(load<Arch>(weights + v * lanes<Arch>), load<Arch>(input + v * lanes<Arch>), sum);
  };
  for (std::size_t v = 0; v < vectors;) {
    V sums[4] = {V(0.0F), V(0.0F), V(0.0F), V(0.0F)};
    const std::size_t left = vectors - v;
    const std::size_t end = v + (left >= dense_wide_vectors ? dense_wide_vectors : left < 4 ? left : 4);
    for (; v + 4 <= end; v += 4) unrolled<4>([&](auto i) __attribute__((always_inline)) { add(sums[i], v + i); });
    unrolled<3>([&](auto i) __attribute__((always_inline)) {
      if (v + i < end) add(sums[i], v + i);
    });
    v = end;
    products += (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  return products;
}

/// The logit of a single unit, whose bias is the first lane of a vector.
template <class Arch>
BYTECNN_INLINE float unit_logit(const DenseStage& unit, const float* input) noexcept {
  const std::size_t vectors = (unit.inputs + lanes<Arch> - 1) / lanes<Arch>;
  return sum_lanes<Arch>(unit_products<Arch>(unit.weights, input, vectors, load<Arch>(unit.bias)));
}

/// The same behind the layer `dense`, of whose inputs it is computed, and of which nothing is stored.
template <class Arch>
BYTECNN_INLINE float joined_logit(const DenseStage& dense, const DenseStage& unit, const float* input) noexcept {
  return sum_lanes<Arch>(dense_blocks<Arch>(dense, 0, input, nullptr, unit.weights, load<Arch>(unit.bias)));
}

/// Whether a layer may go straight into a single unit behind it.
BYTECNN_INLINE bool goes_into_unit(const DenseStage& dense) noexcept {
  return dense.units > 1 && (dense.activation == Activation::Kind::relu || dense.activation == Activation::Kind::none);
}

/// The sums of the first `done` vectors of units (a multiple of `dense_wide_vectors`) are there already.
template <class Arch>
__attribute__((noinline)) void dense_layer(const DenseStage& dense, const float* input, float* output,
                                           std::size_t done = 0) noexcept {
  if (dense.units == 1) {
    for (std::size_t i = 0; i < lanes<Arch>; ++i) output[i] = 0.0F;
    output[0] = unit_logit<Arch>(dense, input);
  } else {
    dense_blocks<Arch>(dense, done, input, output, nullptr, Floats<Arch>(0.0F));
  }
  if (dense.activation != Activation::Kind::relu || dense.units == 1) {
    activate<Arch>(output, dense.vectors, dense.activation, dense.slope);
  }
}

/// One exponential is sooner done by the C library than in a vector, whose latency nothing hides here: 53 cycles with
/// the division instead of 70 to 90.
BYTECNN_INLINE float single_sigmoid(float logit) noexcept {
  return 1.0F / (1.0F + std::exp(-logit));
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
