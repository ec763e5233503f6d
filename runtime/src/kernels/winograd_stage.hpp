#pragma once
/// Convolutions with stride and dilation 1 by Winograd's short algorithms.
///
/// A block of tiles goes through three steps, each in the first-level cache:
///   1. input transform    columns -> U[point][tile][channel]                    about 2 q (q + 1) + 2 q operations
///   2. products           M[point][chain][tile][filter] = U W, one matrix product a point and chain
///   3. output transform   M -> `outputs` columns a tile                         about (m + 1) q + m operations
/// Bound: (outputs + kernel - 1) * inputs * vectors FMAs a tile of `outputs` columns, against outputs * kernel * inputs
/// * vectors directly: half of them for F(4, 3), 2 of 5 for F(4, 5).
///
/// The sum over channels is cut into short chains that are added in step 3: one chain of 28 channels loses 1.1e-5 of a
/// logit at worst, two of 14 lose 7e-6.

#include <cstddef>
#include <cstdint>

#include "kernels/conv_stage.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// U of one tile: `columns[j]` is the tile's j-th input column.
template <class Arch, std::size_t Pairs>
BYTECNN_INLINE void transform_input(const WinogradTransform& t, const float* const* columns, std::size_t width,
                                    float* out, std::size_t point_step) {
  using V = Floats<Arch>;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    V d[2 * Pairs + 2];
#pragma GCC unroll 8
    for (std::size_t j = 0; j < 2 * Pairs + 2; ++j) d[j] = load<Arch>(columns[j] + i);
    V zero = d[0] * V(t.ends[0]);
    V infinity = d[1] * V(t.ends[0]);
#pragma GCC unroll 8
    for (std::size_t j = 1; j < Pairs; ++j) {
      zero = multiply_add<Arch>(d[2 * j], V(t.ends[j]), zero);
      infinity = multiply_add<Arch>(d[2 * j + 1], V(t.ends[j]), infinity);
    }
    (zero + d[2 * Pairs]).store_aligned(out + i);
    (infinity + d[2 * Pairs + 1]).store_aligned(out + (2 * Pairs + 1) * point_step + i);
#pragma GCC unroll 8
    for (std::size_t p = 0; p < Pairs; ++p) {
      V even = d[2 * Pairs];  // the leading coefficient is 1
      V odd = d[1] * V(t.odd[p][0]);
#pragma GCC unroll 8
      for (std::size_t j = 0; j + 1 < Pairs; ++j) even = multiply_add<Arch>(d[2 * j + 2], V(t.even[p][j]), even);
#pragma GCC unroll 8
      for (std::size_t j = 1; j < Pairs; ++j) odd = multiply_add<Arch>(d[2 * j + 1], V(t.odd[p][j]), odd);
      (even + odd).store_aligned(out + (2 * p + 1) * point_step + i);
      (even - odd).store_aligned(out + (2 * p + 2) * point_step + i);
    }
  }
}

/// The first `columns` of a tile's outputs from M. Chains 0: any number.
template <class Arch, std::size_t Pairs, std::size_t Outputs, std::size_t Chains>
BYTECNN_INLINE void transform_output(const ConvStage& conv, const float* products, std::size_t point_step,
                                     std::size_t chain_step, std::size_t columns, float* out) {
  using V = Floats<Arch>;
  const WinogradTransform& t = conv.winograd->transform;
  const std::size_t chains = Chains == 0 ? conv.winograd->chains : Chains;
  const std::size_t width = conv.output_floats;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) {
    V m[2 * Pairs + 2];
#pragma GCC unroll 8
    for (std::size_t p = 0; p < 2 * Pairs + 2; ++p) {
      m[p] = load<Arch>(products + p * point_step + i);
#pragma GCC unroll 4
      for (std::size_t chain = 1; chain < chains; ++chain) {
        m[p] += load<Arch>(products + p * point_step + chain * chain_step + i);
      }
    }
    V sums[Pairs];
    V differences[Pairs];
#pragma GCC unroll 8
    for (std::size_t p = 0; p < Pairs; ++p) {
      sums[p] = m[2 * p + 1] + m[2 * p + 2];
      differences[p] = m[2 * p + 1] - m[2 * p + 2];
    }
    const V start = load<Arch>(conv.bias + i);
#pragma GCC unroll 8
    for (std::size_t o = 0; o < Outputs; ++o) {
      V y = o == 0 ? m[0] : o == Outputs - 1 ? m[2 * Pairs + 1] : differences[0] * V(t.power[o][0]);
      if (o == 0) {
#pragma GCC unroll 8
        for (std::size_t p = 0; p < Pairs; ++p) y += sums[p];
      } else {
        const std::size_t first = o == Outputs - 1 ? 0 : 1;
        if (o % 2 == 0 && o != Outputs - 1) y = sums[0] * V(t.power[o][0]);
#pragma GCC unroll 8
        for (std::size_t p = first; p < Pairs; ++p) {
          y = multiply_add<Arch>(o % 2 == 0 ? sums[p] : differences[p], V(t.power[o][p]), y);
        }
      }
      y += start;
      if (conv.relu) y = positive_max<Arch>(y, V(0.0F));
      if (o < columns) y.store_aligned(out + o * width + i);
    }
  }
}

template <class Arch, std::size_t Pairs, std::size_t Outputs>
void winograd_columns(const ConvStage& conv, const float* input, float* output, std::size_t count,
                      float* scratch) noexcept {
  constexpr std::size_t points = 2 * Pairs + 2;
  const WinogradStage& stage = *conv.winograd;
  const std::size_t in_width = conv.input_floats;
  const std::size_t out_width = conv.output_floats;
  const std::size_t u_step = stage.block_tiles * in_width;  // from point to point
  const std::size_t chain_step = stage.block_tiles * out_width;
  const std::size_t m_step = stage.chains * chain_step;  // from point to point
  float* const transformed = scratch;
  float* const products = scratch + points * u_step;
  const std::size_t available = count + conv.kernel_size - 1;  // input columns that belong to these outputs

  for (std::size_t done = 0; done < count;) {
    const std::size_t wanted = (count - done + Outputs - 1) / Outputs;
    const std::size_t tiles = wanted < stage.block_tiles ? wanted : stage.block_tiles;
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const float* columns[points];
      for (std::size_t j = 0; j < points; ++j) {
        const std::size_t column = done + tile * Outputs + j;
        columns[j] = column < available ? input + column * in_width : stage.zero_column;
      }
      transform_input<Arch, Pairs>(stage.transform, columns, in_width, transformed + tile * in_width, u_step);
    }
    for (std::size_t p = 0; p < points; ++p) {
      for (std::uint32_t chain = 0; chain < stage.chains; ++chain) {
        const ConvStage& product = chain + 1 == stage.chains ? stage.last_product : stage.product;
        direct_conv<Arch>(product, stage.weights[p * stage.chains + chain], stage.zero_bias,
                          transformed + p * u_step + std::size_t{chain} * stage.product.group_inputs,
                          products + p * m_step + chain * chain_step, tiles);
      }
    }
    const auto transform_back = [&]<std::size_t Chains>() {
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        const std::size_t left = count - done;
        const std::size_t columns = left < Outputs ? left : Outputs;
        transform_output<Arch, Pairs, Outputs, Chains>(conv, products + tile * out_width, m_step, chain_step, columns,
                                                       output + done * out_width);
        done += columns;
      }
    };
    switch (stage.chains) {
      case 1:
        transform_back.template operator()<1>();
        break;
      case 2:
        transform_back.template operator()<2>();
        break;
      default:
        transform_back.template operator()<0>();
        break;
    }
  }
}

template <class Arch>
void winograd_conv(const ConvStage& conv, const float* input, float* output, std::size_t count,
                   float* scratch) noexcept {
  const WinogradTransform& t = conv.winograd->transform;
  if (t.pairs == 1) return winograd_columns<Arch, 1, 2>(conv, input, output, count, scratch);
  if (t.pairs == 3) return winograd_columns<Arch, 3, 4>(conv, input, output, count, scratch);
  if (t.outputs == 4) return winograd_columns<Arch, 2, 4>(conv, input, output, count, scratch);
  return winograd_columns<Arch, 2, 2>(conv, input, output, count, scratch);
}

}  // namespace bytecnn::kernels
