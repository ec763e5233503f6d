#pragma once
/// The same network by direct convolution, in two ways. Both embed the padded input, then compute every position of
/// every layer: no tables, no collapsed padding.
///
/// Plain: the loops one writes first, left to the compiler's vectoriser: one column at a time, its sums a local array.
/// Each of them is one chain of FMAs, so their latency is the bound.
/// Registers: a block of Positions x Vectors sums stays in registers over all taps and channels, so that an FMA costs
/// less than one load. This is what a well-made direct convolution reaches, and the stronger of the two by far.

#include <cstddef>
#include <cstdint>
#include <utility>

#include <math.h>  // the C functions: <cmath>'s inline overloads must not be shared between instruction sets
#include <xsimd/xsimd.hpp>

#include "isa/isa_kernels.hpp"

#define BYTECNN_BENCH_INLINE inline __attribute__((always_inline))

namespace bytecnn::bench {

template <class Arch>
using Floats = xsimd::batch<float, Arch>;

template <class Arch>
inline constexpr std::size_t lanes_of = Floats<Arch>::size;

/// Sums that fit into the registers beside weights and a broadcast: 24 of 32, 12 of 16.
template <class Arch>
inline constexpr std::size_t sums_in_registers = 12;
#if XSIMD_WITH_AVX512F
template <>
inline constexpr std::size_t sums_in_registers<xsimd::avx512bw> = 24;
#endif
#if XSIMD_WITH_NEON64
template <>
inline constexpr std::size_t sums_in_registers<xsimd::neon64> = 24;
#endif

/// How one instruction set computes a layer the plain way.
template <class Arch>
struct PlainLayers {
  static float activate(float x, const Activation& activation) noexcept {
    switch (activation.kind) {
      case Activation::Kind::none:
        return x;
      case Activation::Kind::relu:
        return x > 0 ? x : 0;
      case Activation::Kind::leaky_relu:
        return x > 0 ? x : x * activation.slope;
      case Activation::Kind::gelu:
        return 0.5F * x * (1.0F + ::erff(x * 0.70710678F));
      case Activation::Kind::silu:
        return x / (1.0F + ::expf(-x));
      case Activation::Kind::tanh:
        return ::tanhf(x);
      case Activation::Kind::sigmoid:
        return 1.0F / (1.0F + ::expf(-x));
    }
    return x;
  }

  static void activate_all(float* __restrict values, std::size_t count, const Activation& activation) noexcept {
    if (activation.kind == Activation::Kind::relu) {
      for (std::size_t i = 0; i < count; ++i) values[i] = values[i] > 0 ? values[i] : 0;
    } else {
      for (std::size_t i = 0; i < count; ++i) values[i] = activate(values[i], activation);
    }
  }

  /// The array's size is known, so that the compiler keeps it in registers: with a size it does not know, every sum
  /// would wait for the store before it, at twice the cost.
  template <std::size_t Filters>
  static void filters(const DirectConv& layer, std::size_t first, std::size_t group, const float* __restrict input,
                      float* __restrict output, std::size_t count) noexcept {
    const std::size_t group_inputs = layer.inputs / layer.groups;
    for (std::size_t p = 0; p < count; ++p) {
      float sums[Filters];
      for (std::size_t f = 0; f < Filters; ++f) sums[f] = layer.bias[first + f];
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        const float* column =
            input + (p * layer.stride + k * layer.dilation) * layer.input_width + group * group_inputs;
        const float* weights = layer.weights + k * group_inputs * layer.output_width + first;
        for (std::size_t c = 0; c < group_inputs; ++c, weights += layer.output_width) {
          for (std::size_t f = 0; f < Filters; ++f) sums[f] += column[c] * weights[f];
        }
      }
      for (std::size_t f = 0; f < Filters; ++f) output[p * layer.output_width + first + f] = sums[f];
    }
  }

  static void conv(const DirectConv& layer, const float* input, float* output, std::size_t count) noexcept {
    const std::size_t group_filters = layer.filters / layer.groups;
    for (std::size_t group = 0; group < layer.groups; ++group) {
      std::size_t first = group * group_filters;
      // One group's columns end in idle channels, which are cheaper computed than left out.
      const std::size_t end = layer.groups == 1 ? layer.output_width : first + group_filters;
      while (first < end) {
        constexpr std::size_t most_eights = 6;
        const std::size_t eights = (end - first) / 8 < most_eights ? (end - first) / 8 : most_eights;
        const std::size_t taken = eights == 0 ? 1 : 8 * eights;
        [&]<std::size_t... Eights>(std::index_sequence<Eights...>) {
          (void)((eights == Eights &&
                  (filters < Eights == 0 ? 1 : 8 * Eights > (layer, first, group, input, output, count), true)) ||
                 ...);
        }
        (std::make_index_sequence<most_eights + 1>{});
        first += taken;
      }
    }
  }

  static void dense(const DirectDense& layer, const float* input, float* __restrict output) noexcept {
    for (std::size_t u = 0; u < layer.units; ++u) output[u] = layer.bias[u];
    for (std::size_t i = 0; i < layer.inputs; ++i) {
      const float x = input[i];
      const float* __restrict weights = layer.weights + i * layer.width;
      for (std::size_t u = 0; u < layer.units; ++u) output[u] += x * weights[u];
    }
  }
};

/// How one instruction set computes a layer with its sums in registers.
template <class Arch>
struct RegisterLayers {
  using V = Floats<Arch>;
  static constexpr std::size_t lanes = lanes_of<Arch>;

  static BYTECNN_BENCH_INLINE V activate(V x, const Activation& activation) noexcept {
    const V one(1.0F);
    switch (activation.kind) {
      case Activation::Kind::none:
        return x;
      case Activation::Kind::relu:
        return xsimd::max(x, V(0.0F));
      case Activation::Kind::leaky_relu:
        return xsimd::select(x > V(0.0F), x, x * V(activation.slope));
      case Activation::Kind::gelu:
        return V(0.5F) * x * (one + xsimd::erf(x * V(0.70710678F)));
      case Activation::Kind::silu:
        return x / (one + xsimd::exp(-x));
      case Activation::Kind::tanh:
        return xsimd::tanh(x);
      case Activation::Kind::sigmoid:
        return one / (one + xsimd::exp(-x));
    }
    return x;
  }

  /// `count` is rounded up to whole vectors, which the columns' width allows for.
  static void activate_all(float* values, std::size_t count, const Activation& activation) noexcept {
    if (activation.kind == Activation::Kind::none) return;
    if (activation.kind == Activation::Kind::relu) {
      for (std::size_t i = 0; i < count; i += lanes) {
        xsimd::max(V::load_aligned(values + i), V(0.0F)).store_aligned(values + i);
      }
      return;
    }
    for (std::size_t i = 0; i < count; i += lanes) {
      activate(V::load_aligned(values + i), activation).store_aligned(values + i);
    }
  }

  template <std::size_t Vectors, std::size_t Positions>
  static void block(const DirectConv& layer, std::size_t first, const float* input, float* output) noexcept {
    V sums[Positions][Vectors];
#pragma GCC unroll 24
    for (std::size_t p = 0; p < Positions; ++p) {
#pragma GCC unroll 24
      for (std::size_t v = 0; v < Vectors; ++v) sums[p][v] = V::load_aligned(layer.bias + first + v * lanes);
    }
    const float* weights = layer.weights + first;
    const std::size_t position_step = std::size_t{layer.stride} * layer.input_width;
    for (std::size_t k = 0; k < layer.kernel_size; ++k) {
      const float* column = input + k * layer.dilation * layer.input_width;
      for (std::size_t c = 0; c < layer.inputs; ++c, weights += layer.output_width) {
        V w[Vectors];
#pragma GCC unroll 24
        for (std::size_t v = 0; v < Vectors; ++v) w[v] = V::load_aligned(weights + v * lanes);
#pragma GCC unroll 24
        for (std::size_t p = 0; p < Positions; ++p) {
          const V x(column[p * position_step + c]);
#pragma GCC unroll 24
          for (std::size_t v = 0; v < Vectors; ++v) sums[p][v] = xsimd::fma(x, w[v], sums[p][v]);
        }
      }
    }
#pragma GCC unroll 24
    for (std::size_t p = 0; p < Positions; ++p) {
#pragma GCC unroll 24
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[p][v].store_aligned(output + p * layer.output_width + first + v * lanes);
      }
    }
  }

  template <std::size_t Vectors>
  static void filters(const DirectConv& layer, std::size_t first, const float* input, float* output,
                      std::size_t count) noexcept {
    constexpr std::size_t positions = sums_in_registers<Arch> / Vectors;
    const std::size_t step = std::size_t{layer.stride} * layer.input_width;
    std::size_t p = 0;
    for (; p + positions <= count; p += positions) {
      block<Vectors, positions>(layer, first, input + p * step, output + p * layer.output_width);
    }
    for (; p < count; ++p) block<Vectors, 1>(layer, first, input + p * step, output + p * layer.output_width);
  }

  static void conv(const DirectConv& layer, const float* input, float* output, std::size_t count) noexcept {
    std::size_t vectors = layer.output_width / lanes;
    for (std::size_t first = 0; vectors > 0;) {
      // Five vectors as 3 + 2, four as 2 + 2: no block of one beside a block of three.
      const std::size_t taken = vectors == 4 ? 2 : vectors < 3 ? vectors : 3;
      if (taken == 3) filters<3>(layer, first, input, output, count);
      if (taken == 2) filters<2>(layer, first, input, output, count);
      if (taken == 1) filters<1>(layer, first, input, output, count);
      first += taken * lanes;
      vectors -= taken;
    }
  }

  template <std::size_t Vectors>
  static void units(const DirectDense& layer, std::size_t first, const float* input, float* output) noexcept {
    V sums[Vectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) sums[v] = V::load_aligned(layer.bias + first + v * lanes);
    for (std::size_t i = 0; i < layer.inputs; ++i) {
      const V x(input[i]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < Vectors; ++v) {
        sums[v] = xsimd::fma(x, V::load_aligned(layer.weights + i * layer.width + first + v * lanes), sums[v]);
      }
    }
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) sums[v].store_aligned(output + first + v * lanes);
  }

  static void dense(const DirectDense& layer, const float* input, float* output) noexcept {
    std::size_t first = 0;
    for (; first + 8 * lanes <= layer.width; first += 8 * lanes) units<8>(layer, first, input, output);
    for (; first + 3 * lanes <= layer.width; first += 3 * lanes) units<3>(layer, first, input, output);
    for (; first < layer.width; first += lanes) units<1>(layer, first, input, output);
  }
};

/// One pass over all columns for sum and maximum, a second one for the variance where it is asked for.
template <class Arch>
void pool_columns(const DirectNetwork& network, const float* columns, std::size_t count, std::size_t width,
                  float* __restrict features) noexcept {
  const std::size_t channels = network.channels;
  float* __restrict sums = features;
  float* __restrict maxima = features + width;
  for (std::size_t c = 0; c < width; ++c) {
    sums[c] = 0;
    maxima[c] = -INFINITY;
  }
  for (std::size_t p = 0; p < count; ++p) {
    const float* __restrict column = columns + p * width;
    for (std::size_t c = 0; c < width; ++c) {
      sums[c] += column[c];
      maxima[c] = column[c] > maxima[c] ? column[c] : maxima[c];
    }
  }
  const float n = static_cast<float>(count);
  for (std::size_t c = 0; c < channels; ++c) sums[c] /= n;
  switch (network.pooling) {
    case Pooling::avg:
      return;
    case Pooling::max:
      for (std::size_t c = 0; c < channels; ++c) features[c] = maxima[c];
      return;
    case Pooling::avg_max:
      for (std::size_t c = 0; c < channels; ++c) features[c] = 0.5F * (sums[c] + maxima[c]);
      return;
    case Pooling::concat_avg_max:
      for (std::size_t c = 0; c < channels; ++c) features[channels + c] = features[width + c];
      return;
    case Pooling::concat_avg_max_std:
      for (std::size_t c = 0; c < channels; ++c) {
        features[channels + c] = features[width + c];
        float squares = 0;
        for (std::size_t p = 0; p < count; ++p) {
          const float distance = columns[p * width + c] - features[c];
          squares += distance * distance;
        }
        // Behind everything that is still to be read.
        features[2 * width + channels + c] = ::sqrtf(squares / (n - 1.0F) + 1e-5F);
      }
      for (std::size_t c = 0; c < channels; ++c) features[2 * channels + c] = features[2 * width + channels + c];
      return;
  }
}

/// The whole network; `Layers` is PlainLayers or RegisterLayers.
template <class Arch, class Layers>
void classify_direct(const DirectNetwork& network, const unsigned char* bytes, std::size_t length, float* front,
                     float* back, float* logits) noexcept {
  if (length > network.max_len) length = network.max_len;
  std::size_t count = network.padded ? network.max_len : length;
  std::size_t width = network.embed_width;
  float* columns = front + network.convs[0].pad_left * width;
  for (std::size_t p = 0; p < count; ++p) {
    const std::size_t token = p < length ? bytes[p] : network.pad_token;
    const float* __restrict row = network.embedding + token * width;
    for (std::size_t c = 0; c < width; ++c) columns[p * width + c] = row[c];
  }
  for (std::size_t i = 0; i < network.conv_count; ++i) {
    const DirectConv& layer = network.convs[i];
    for (std::size_t c = 0; c < layer.pad_left * width; ++c) front[c] = 0;
    for (std::size_t c = 0; c < layer.pad_right * width; ++c) columns[count * width + c] = 0;
    const std::size_t reach = std::size_t{layer.dilation} * (layer.kernel_size - 1);
    const std::size_t out_count = (layer.pad_left + count + layer.pad_right - reach - 1) / layer.stride + 1;
    const std::size_t out_width = layer.output_width;
    float* out = back + (i + 1 < network.conv_count ? network.convs[i + 1].pad_left * out_width : 0);
    Layers::conv(layer, front, out, out_count);
    Layers::activate_all(out, out_count * out_width, layer.activation);
    if (layer.scale != nullptr) {
      for (std::size_t p = 0; p < out_count; ++p) {
        for (std::size_t f = 0; f < out_width; ++f) {
          out[p * out_width + f] = out[p * out_width + f] * layer.scale[f] + layer.shift[f];
        }
      }
    }
    if (layer.residual) {
      for (std::size_t j = 0; j < out_count * out_width; ++j) out[j] += columns[j];
    }
    columns = out;
    count = out_count;
    width = out_width;
    float* const swapped = front;
    front = back;
    back = swapped;
  }
  pool_columns<Arch>(network, columns, count, width, back);
  // The columns are spent: the head goes to and fro between the two buffers.
  float* features = back;
  float* other = front;
  for (std::size_t i = 0; i < network.dense_count; ++i) {
    const DirectDense& layer = network.dense[i];
    Layers::dense(layer, features, other);
    Layers::activate_all(other, layer.width, layer.activation);
    float* const swapped = features;
    features = other;
    other = swapped;
  }
  for (std::size_t i = 0; i < network.outputs; ++i) logits[i] = features[i];
}

}  // namespace bytecnn::bench
