#pragma once
/// The vector vocabulary of the kernels, on xsimd's architecture types.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include <xsimd/xsimd.hpp>

#include "bytecnn/model.hpp"

#define BYTECNN_INLINE inline __attribute__((always_inline))
/// A function that is compiled once: neither inlined nor cloned for a constant argument, which would cost kilobytes.
#if defined(__clang__)
#define BYTECNN_ONCE __attribute__((noinline))
#else
#define BYTECNN_ONCE __attribute__((noinline, noclone))
#endif

namespace bytecnn::kernels {

template <class Number>
BYTECNN_INLINE Number smaller(Number a, Number b) {
  return a < b ? a : b;
}

template <class Arch>
using Floats = xsimd::batch<float, Arch>;

template <class Arch>
inline constexpr std::size_t lanes = Floats<Arch>::size;

/// Vector registers: 32 where the instruction set has AVX-512 or NEON64, else 16.
template <class Arch>
inline constexpr std::size_t registers = 16;

/// Whether a multiplication and an addition are one instruction.
template <class Arch>
inline constexpr bool has_fma = true;
#if XSIMD_WITH_SSE2
template <>
inline constexpr bool has_fma<xsimd::sse2> = false;
#endif

/// Whether the 32-bit integer maximum is one instruction (SSE2 lacks it).
template <class Arch>
inline constexpr bool has_integer_maximum = true;
#if XSIMD_WITH_SSE2
template <>
inline constexpr bool has_integer_maximum<xsimd::sse2> = false;
#endif
#if XSIMD_WITH_AVX512BW
template <>
inline constexpr std::size_t registers<xsimd::avx512bw> = 32;
#endif
#if XSIMD_WITH_NEON64
template <>
inline constexpr std::size_t registers<xsimd::neon64> = 32;
#endif

template <class Arch>
BYTECNN_INLINE Floats<Arch> load(const float* p) {
  return Floats<Arch>::load_aligned(p);
}

template <class Arch>
BYTECNN_INLINE Floats<Arch> load_unaligned(const float* p) {
  return Floats<Arch>::load_unaligned(p);
}

/// a * b + c, rounded once where the instruction set can. xsimd 8.1 multiplies and adds apart on AVX-512 and NEON64,
/// which doubles the work of a convolution: hence the two intrinsics.
template <class Arch>
BYTECNN_INLINE Floats<Arch> multiply_add(Floats<Arch> a, Floats<Arch> b, Floats<Arch> c) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_fmadd_ps(a, b, c));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vfmaq_f32(c, a, b));
#endif
  return xsimd::fma(a, b, c);
}

/// The same bits as another type. Older releases of xsimd want the result's batch named, newer ones its element.
template <class To, class Arch, class From>
BYTECNN_INLINE xsimd::batch<To, Arch> same_bits(xsimd::batch<From, Arch> x) {
  using Result = xsimd::batch<To, Arch>;
#if XSIMD_WITH_NEON64
  // xsimd 8.1 goes by way of a table of functions, which are called.
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) {
    return Result(__builtin_bit_cast(typename Result::register_type, x.data));
  }
#endif
  if constexpr (std::is_same_v<decltype(xsimd::bitwise_cast<To>(x)), Result>) {
    return xsimd::bitwise_cast<To>(x);
  } else {
    return xsimd::bitwise_cast<Result>(x);
  }
}

/// max(a, b) where both are +0 or above, or one of them is the constant +0: such floats order as integers, and the
/// integer maximum leaves the floating-point units free for additions. (-0 and negative numbers are below +0 as
/// integers as well.)
template <class Arch>
BYTECNN_INLINE Floats<Arch> positive_max(Floats<Arch> a, Floats<Arch> b) {
  if constexpr (has_integer_maximum<Arch>) {
    return same_bits<float>(xsimd::max(same_bits<std::int32_t>(a), same_bits<std::int32_t>(b)));
  } else {
    return xsimd::max(a, b);
  }
}

/// max(x, +0). SSE2 has no integer maximum, but a sign can be spread over its lane: the adders' ports stay free.
template <class Arch>
BYTECNN_INLINE Floats<Arch> relu(Floats<Arch> x) {
  if constexpr (has_integer_maximum<Arch>) {
    return positive_max<Arch>(x, Floats<Arch>(0.0F));
  } else {
    const auto bits = same_bits<std::int32_t>(x);
    return same_bits<float>(bits & ~(bits >> 31));
  }
}

/// What max(x, floor) leaves of a column: relu's 0, or minus infinity where there is none. One loop serves both.
template <class Arch>
BYTECNN_INLINE Floats<Arch> relu_floor(bool relu) {
  return Floats<Arch>(relu ? 0.0F : -std::numeric_limits<float>::infinity());
}

/// Calls f(0), ..., f(Count - 1) with constants: where a pragma unrolls a loop the compiler has by then put arrays of
/// accumulators into memory.
template <std::size_t Count, class Function>
BYTECNN_INLINE void unrolled(Function f) {
  [&]<std::size_t... Index>(std::index_sequence<Index...>) __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, Index>{}), ...);
  }
  (std::make_index_sequence<Count>{});
}

/// The sum of all lanes.
template <class Arch>
BYTECNN_INLINE float sum_lanes(Floats<Arch> x) {
#if XSIMD_VERSION_MAJOR >= 10
  return xsimd::reduce_add(x);
#else
  return xsimd::hadd(x);
#endif
}

/// [low | high]: half a vector from each address. xsimd has no such load, and two whole ones would cost twice the
/// ports.
template <class Arch>
BYTECNN_INLINE Floats<Arch> load_halves(const float* low, const float* high) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) {
    return Floats<Arch>(_mm512_insertf32x8(_mm512_castps256_ps512(_mm256_load_ps(low)), _mm256_load_ps(high), 1));
  }
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) {
    return Floats<Arch>(_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(low)), _mm_load_ps(high), 1));
  }
#endif
  alignas(64) float both[lanes<Arch>];
  for (std::size_t i = 0; i < lanes<Arch> / 2; ++i) {
    both[i] = low[i];
    both[lanes<Arch> / 2 + i] = high[i];
  }
  return load<Arch>(both);
}

/// [a | b] becomes [b | a].
template <class Arch>
BYTECNN_INLINE Floats<Arch> swap_halves(Floats<Arch> x) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_shuffle_f32x4(x, x, 0x4e));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_permute2f128_ps(x, x, 1));
#endif
  alignas(64) float memory[lanes<Arch>];
  x.store_aligned(memory);
  return load_halves<Arch>(memory + lanes<Arch> / 2, memory);
}

}  // namespace bytecnn::kernels
