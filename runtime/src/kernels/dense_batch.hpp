#pragma once
/// Dense layers for the inputs of a batch, several at once: a vector of weights is loaded for all of them, so that the
/// multiply-adds are the bound (inputs * vectors / 2 cycles an input) and not the loads. Every sum is made of the same
/// chains in the same order as by `dense_layer`: the same bits.

#include <cstddef>
#include <type_traits>

#include "kernels/dense_stage.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Inputs that are multiplied together. Below six, loads are the bound again.
inline constexpr std::size_t dense_batch = 6;

/// Two vectors of units for `dense_batch` inputs, `stride` floats apart as are the outputs.
template <class Arch, std::size_t Chains>
void dense_batch_block(const DenseStage& dense, std::size_t first, const float* input, float* output,
                       std::size_t stride) noexcept {
  using V = Floats<Arch>;
  constexpr std::size_t vectors = 2;
  const std::size_t width = dense.vectors * lanes<Arch>;
  const float* weights = dense.weights + first * lanes<Arch>;
  const float* bias = dense.bias + first * lanes<Arch>;
  V sums[Chains][dense_batch][vectors];
  unrolled<dense_batch>([&](auto n) __attribute__((always_inline)) {
    unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
      sums[0][n][v] = load<Arch>(bias + v * lanes<Arch>);
      if constexpr (Chains > 1) sums[1][n][v] = V(0.0F);
    });
  });
  const auto step = [&](auto chain, std::size_t i) __attribute__((always_inline)) {
    const V w[vectors] = {load<Arch>(weights), load<Arch>(weights + lanes<Arch>)};
    weights += width;
    unrolled<dense_batch>([&](auto n) __attribute__((always_inline)) {
      const V x(input[n * stride + i]);
      unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
        sums[chain][n][v] = multiply_add<Arch>(w[v], x, sums[chain][n][v]);
      });
    });
  };
  std::size_t i = 0;
  for (; i + Chains <= dense.inputs; i += Chains) {
    unrolled<Chains>([&](auto chain) __attribute__((always_inline)) { step(chain, i + chain); });
  }
  if constexpr (Chains > 1) {
    if (i < dense.inputs) step(std::integral_constant<std::size_t, 0>{}, i);
  }
  const V floor = relu_floor<Arch>(dense.activation == Activation::Kind::relu);
  unrolled<dense_batch>([&](auto n) __attribute__((always_inline)) {
    unrolled<vectors>([&](auto v) __attribute__((always_inline)) {
      V sum = sums[0][n][v];
      if constexpr (Chains > 1) sum += sums[1][n][v];
      xsimd::max(sum, floor).store_aligned(output + n * stride + (first + v) * lanes<Arch>);
    });
  });
}

/// `dense_layer` for `count` inputs, `stride` floats apart as are the outputs.
template <class Arch>
BYTECNN_INLINE void dense_layers(const DenseStage& dense, const float* input, float* output, std::size_t count,
                                 std::size_t stride) noexcept {
  const std::size_t shared = dense.units == 1 ? 0 : dense.vectors - dense.vectors % dense_wide_vectors;
  const std::size_t together = count - count % dense_batch;
  for (std::size_t n = 0; n < together; n += dense_batch) {
    for (std::size_t v = 0; v < shared; v += 2) {
      dense_batch_block<Arch, dense_wide_chains<Arch>>(dense, v, input + n * stride, output + n * stride, stride);
    }
  }
  for (std::size_t n = 0; n < count; ++n) {
    dense_layer<Arch>(dense, input + n * stride, output + n * stride, n < together ? shared : 0);
  }
}

}  // namespace bytecnn::kernels
