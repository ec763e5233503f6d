#pragma once
/// Pairs: two numbers a channel side by side, so that one 64-bit broadcast feeds whole vectors of products, and filters
/// that fill half a vector leave no lane idle.
///
/// xsimd 8 and 13 spell constant shuffles differently and neither takes pairs apart, hence the intrinsics; the loop
/// over memory beside them says what they mean.

#include <cstddef>
#include <cstring>

#include "kernels/simd.hpp"

namespace bytecnn::kernels {

/// result[i] = both[index(i)] where `both` is [a | b].
template <class Arch, class Index>
BYTECNN_INLINE Floats<Arch> shuffle_in_memory(Floats<Arch> a, Floats<Arch> b, Index index) {
  alignas(64) float both[2 * lanes<Arch>];
  alignas(64) float result[lanes<Arch>];
  a.store_aligned(both);
  b.store_aligned(both + lanes<Arch>);
  for (std::size_t i = 0; i < lanes<Arch>; ++i) result[i] = both[index(i)];
  return load<Arch>(result);
}

/// Interleaves the first two channels of every four: a0 b0 a1 b1, a4 b4 a5 b5, ... No number leaves its 128 bits, which
/// is what makes it cheap; `pair_slot` in plan.hpp knows the order.
template <class Arch>
BYTECNN_INLINE Floats<Arch> zip_low(Floats<Arch> a, Floats<Arch> b) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_unpacklo_ps(a, b));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_unpacklo_ps(a, b));
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_unpacklo_ps(a, b));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vzip1q_f32(a, b));
#endif
  return shuffle_in_memory<Arch>(a, b, [](std::size_t i) { return i / 4 * 4 + i % 4 / 2 + i % 2 * lanes<Arch>; });
}

/// The other two channels of every four.
template <class Arch>
BYTECNN_INLINE Floats<Arch> zip_high(Floats<Arch> a, Floats<Arch> b) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_unpackhi_ps(a, b));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_unpackhi_ps(a, b));
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_unpackhi_ps(a, b));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vzip2q_f32(a, b));
#endif
  return shuffle_in_memory<Arch>(a, b, [](std::size_t i) { return i / 4 * 4 + 2 + i % 4 / 2 + i % 2 * lanes<Arch>; });
}

/// The first numbers of the pairs in [a | b], in order.
template <class Arch>
BYTECNN_INLINE Floats<Arch> firsts(Floats<Arch> a, Floats<Arch> b) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return Floats<Arch>(_mm512_permutex2var_ps(a, even, b));
  }
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) {
    return Floats<Arch>(_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88)), 0xD8)));
  }
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_shuffle_ps(a, b, 0x88));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vuzp1q_f32(a, b));
#endif
  return shuffle_in_memory<Arch>(a, b, [](std::size_t i) { return 2 * i; });
}

/// The second numbers of the pairs in [a | b], in order.
template <class Arch>
BYTECNN_INLINE Floats<Arch> seconds(Floats<Arch> a, Floats<Arch> b) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) {
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return Floats<Arch>(_mm512_permutex2var_ps(a, odd, b));
  }
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) {
    return Floats<Arch>(_mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xDD)), 0xD8)));
  }
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_shuffle_ps(a, b, 0xDD));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vuzp2q_f32(a, b));
#endif
  return shuffle_in_memory<Arch>(a, b, [](std::size_t i) { return 2 * i + 1; });
}

/// Both numbers of every pair become its first.
template <class Arch>
BYTECNN_INLINE Floats<Arch> first_twice(Floats<Arch> a) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_moveldup_ps(a));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_moveldup_ps(a));
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_shuffle_ps(a, a, 0xA0));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vtrn1q_f32(a, a));
#endif
  return shuffle_in_memory<Arch>(a, a, [](std::size_t i) { return i / 2 * 2; });
}

/// Both numbers of every pair become its second.
template <class Arch>
BYTECNN_INLINE Floats<Arch> second_twice(Floats<Arch> a) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_movehdup_ps(a));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_movehdup_ps(a));
#endif
#if XSIMD_WITH_SSE2
  if constexpr (std::is_same_v<Arch, xsimd::sse2>) return Floats<Arch>(_mm_shuffle_ps(a, a, 0xF5));
#endif
#if XSIMD_WITH_NEON64
  if constexpr (std::is_same_v<Arch, xsimd::neon64>) return Floats<Arch>(vtrn2q_f32(a, a));
#endif
  return shuffle_in_memory<Arch>(a, a, [](std::size_t i) { return i / 2 * 2 + 1; });
}

/// The pair (first, second) in all lanes.
template <class Arch>
BYTECNN_INLINE Floats<Arch> pair_of(float first, float second) {
  alignas(64) float memory[lanes<Arch>];
  for (std::size_t i = 0; i < lanes<Arch>; i += 2) {
    memory[i] = first;
    memory[i + 1] = second;
  }
  return load<Arch>(memory);
}

/// `x` itself, loaded by an instruction of its own: folded into every multiplication it feeds it would be loaded as
/// many times.
template <class Arch>
BYTECNN_INLINE Floats<Arch> in_register(Floats<Arch> x) {
#if defined(__x86_64__)
  asm("" : "+v"(x.data));
#endif
  return x;
}

/// The same of an address, which is not computed again from what it was made of.
template <class Float>
BYTECNN_INLINE Float* in_register(Float* p) {
#if defined(__x86_64__)
  asm("" : "+r"(p));
#endif
  return p;
}

/// One number, or one pair, in all lanes of a register.
template <class Arch, bool Pairs>
BYTECNN_INLINE Floats<Arch> spread(const float* p) {
  if constexpr (Pairs) {
    double both;
    std::memcpy(&both, p, sizeof both);
    return in_register<Arch>(same_bits<float>(xsimd::batch<double, Arch>(both)));
  } else {
    return in_register<Arch>(Floats<Arch>(*p));
  }
}

}  // namespace bytecnn::kernels
