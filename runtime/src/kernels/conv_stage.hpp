#pragma once
/// Convolutions over columns.
///
/// Direct: filters in lanes. A block of Positions x Vectors sums stays in registers; every (tap, input channel) loads
/// Vectors weight vectors and Positions broadcast inputs for Positions * Vectors FMAs. Bound: FMAs a position =
/// kernel_size * inputs * vectors, at two (or one) a cycle; loads are fewer than FMAs wherever both block sides
/// exceed 1. Depthwise: channels in lanes, one FMA a tap and vector; bound by its two loads an FMA.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// Positions a block of `vectors` vectors may hold in registers, with room for the weights and a broadcast.
template <class Arch>
constexpr std::size_t positions_for(std::size_t vectors) {
  return (registers<Arch> == 32 ? 24 : 12) / vectors;
}

/// One register block: sums for Positions columns and Vectors vectors of filters.
template <class Arch, std::size_t Vectors, std::size_t Positions>
void direct_block(const ConvStage& conv, const float* weights, const float* bias, const float* input,
                  float* output) noexcept {
  using V = Floats<Arch>;
  const std::size_t position_step = std::size_t{conv.stride} * conv.input_floats;
  const std::size_t tap_step = std::size_t{conv.dilation} * conv.input_floats;
  V sums[Positions][Vectors];
#pragma GCC unroll 24
  for (std::size_t v = 0; v < Vectors; ++v) {
    const V start = load<Arch>(bias + v * lanes<Arch>);
#pragma GCC unroll 24
    for (std::size_t p = 0; p < Positions; ++p) sums[p][v] = start;
  }
  for (std::uint32_t k = 0; k < conv.kernel_size; ++k, input += tap_step) {
    for (std::uint32_t c = 0; c < conv.group_inputs; ++c, weights += Vectors * lanes<Arch>) {
      V w[Vectors];
#pragma GCC unroll 24
      for (std::size_t v = 0; v < Vectors; ++v) w[v] = load<Arch>(weights + v * lanes<Arch>);
#pragma GCC unroll 24
      for (std::size_t p = 0; p < Positions; ++p) {
        const V x(input[p * position_step + c]);
#pragma GCC unroll 24
        for (std::size_t v = 0; v < Vectors; ++v) sums[p][v] = multiply_add<Arch>(w[v], x, sums[p][v]);
      }
    }
  }
#pragma GCC unroll 24
  for (std::size_t p = 0; p < Positions; ++p) {
#pragma GCC unroll 24
    for (std::size_t v = 0; v < Vectors; ++v) {
      if (conv.relu) sums[p][v] = positive_max<Arch>(sums[p][v], V(0.0F));
      sums[p][v].store_unaligned(output + p * conv.output_floats + v * lanes<Arch>);
    }
  }
}

/// All `count` columns of one block of filters: full register blocks, then what is left over in smaller ones.
template <class Arch, std::size_t Vectors>
void direct_columns(const ConvStage& conv, const float* weights, const float* bias, const float* input, float* output,
                    std::size_t count) noexcept {
  constexpr std::size_t full = positions_for<Arch>(Vectors);
  const std::size_t input_step = std::size_t{conv.stride} * conv.input_floats;
  std::size_t done = 0;
  const auto blocks = [&]<std::size_t Positions>() {
    for (; count - done >= Positions; done += Positions) {
      direct_block<Arch, Vectors, Positions>(conv, weights, bias, input + done * input_step,
                                             output + done * conv.output_floats);
    }
  };
  blocks.template operator()<full>();
  if constexpr (full > 4) blocks.template operator()<4>();
  if constexpr (full > 2) blocks.template operator()<2>();
  blocks.template operator()<1>();
}

template <class Arch>
void direct_conv(const ConvStage& conv, const float* weights, const float* bias, const float* input, float* output,
                 std::size_t count) noexcept {
  const std::size_t window = std::size_t{conv.kernel_size} * conv.group_inputs;
  for (std::uint32_t g = 0; g < conv.groups; ++g) {
    const float* group_input = input + std::size_t{g} * conv.group_inputs;
    // Groups go upwards, so that the idle lanes behind one group are overwritten by the next.
    float* group_output = output + std::size_t{g} * conv.group_filters;
    for (std::uint32_t v = 0; v < conv.group_vectors;) {
      const std::uint32_t left = conv.group_vectors - v;
      const std::uint32_t vectors = left < conv.block_vectors ? left : conv.block_vectors;
      switch (vectors) {
        case 1:
          direct_columns<Arch, 1>(conv, weights, bias, group_input, group_output, count);
          break;
        case 2:
          direct_columns<Arch, 2>(conv, weights, bias, group_input, group_output, count);
          break;
        case 3:
          direct_columns<Arch, 3>(conv, weights, bias, group_input, group_output, count);
          break;
        default:
          direct_columns<Arch, 4>(conv, weights, bias, group_input, group_output, count);
          break;
      }
      weights += window * vectors * lanes<Arch>;
      bias += vectors * lanes<Arch>;
      group_output += vectors * lanes<Arch>;
      v += vectors;
    }
  }
}

/// One filter a channel: weights[tap][channel].
template <class Arch>
void depthwise_conv(const ConvStage& conv, const float* input, float* output, std::size_t count) noexcept {
  const std::size_t width = conv.group_vectors * lanes<Arch>;
  const std::size_t tap_step = std::size_t{conv.dilation} * conv.input_floats;
  for (std::size_t p = 0; p < count; ++p) {
    const float* column = input + p * conv.stride * conv.input_floats;
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      auto sum = load<Arch>(conv.bias + i);
      for (std::uint32_t k = 0; k < conv.kernel_size; ++k) {
        sum = multiply_add<Arch>(load<Arch>(conv.weights + k * width + i), load<Arch>(column + k * tap_step + i), sum);
      }
      if (conv.relu) sum = positive_max<Arch>(sum, Floats<Arch>(0.0F));
      sum.store_aligned(output + p * conv.output_floats + i);
    }
  }
}

/// Activation, scale and shift, residual, over `count` finished columns of `vectors` vectors. `residual` is the first
/// input column that is added; `activated` tells that the activation is done already.
template <class Arch>
void apply_epilogue(const Epilogue& epilogue, bool activated, float* columns, std::size_t count, std::size_t vectors,
                    const float* residual, std::size_t residual_floats) noexcept {
  if (!activated) activate<Arch>(columns, count * vectors, epilogue.activation, epilogue.slope);
  const std::size_t width = vectors * lanes<Arch>;
  if (epilogue.scale != nullptr) {
    for (std::size_t p = 0; p < count; ++p) {
      for (std::size_t i = 0; i < width; i += lanes<Arch>) {
        float* at = columns + p * width + i;
        multiply_add<Arch>(load<Arch>(at), load<Arch>(epilogue.scale + i), load<Arch>(epilogue.shift + i))
            .store_aligned(at);
      }
    }
  }
  if (epilogue.residual) {
    for (std::size_t p = 0; p < count; ++p) {
      for (std::size_t i = 0; i < width; i += lanes<Arch>) {
        float* at = columns + p * width + i;
        (load<Arch>(at) + load<Arch>(residual + p * residual_floats + i)).store_aligned(at);
      }
    }
  }
}

}  // namespace bytecnn::kernels
