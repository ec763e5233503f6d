#pragma once
/// Loops that keep one kind of execution unit busy and nothing else: what a kernel could reach at most.

#include <cstddef>
#include <cstdint>

#include <xsimd/xsimd.hpp>

#include "isa/isa_kernels.hpp"

namespace bytecnn::bench {

/// The compiler has to believe that `v` may change here, so it can neither merge nor drop operations; costs nothing.
template <class Batch>
inline __attribute__((always_inline)) void keep(Batch& batch) noexcept {
#if defined(__x86_64__)
  asm volatile("" : "+v"(batch.data));
#else
  asm volatile("" : "+w"(batch.data));
#endif
}

/// Independent chains: enough to hide four cycles of latency at two operations a cycle, few enough for 16 registers.
inline constexpr std::size_t chains = 12;

template <class Arch>
struct PeakLoops {
  using V = xsimd::batch<float, Arch>;
  // SSE2 has no 32-bit integer maximum.
#if defined(__x86_64__) && !defined(__SSE4_1__)
  using Maxima = V;
#else
  using Maxima = xsimd::batch<std::int32_t, Arch>;
#endif

  static void fma(std::size_t rounds, const float* memory) noexcept {
    const V factor = V::load_aligned(memory);
    const V summand = V::load_aligned(memory + V::size);
    V sums[chains];
#pragma GCC unroll 12
    for (V& sum : sums) {
      sum = summand;
      keep(sum);  // or the compiler sees that all chains are the same
    }
    for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
      for (V& sum : sums) sum = xsimd::fma(sum, factor, summand);
    }
#pragma GCC unroll 12
    for (V& sum : sums) keep(sum);
  }

  static void add(std::size_t rounds, const float* memory) noexcept {
    const V summand = V::load_aligned(memory);
    V sums[chains];
#pragma GCC unroll 12
    for (V& sum : sums) {
      sum = summand;
      keep(sum);  // or the compiler sees that all chains are the same
    }
    for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
      for (V& sum : sums) sum += summand;
    }
#pragma GCC unroll 12
    for (V& sum : sums) keep(sum);
  }

  static void load(std::size_t rounds, const float* memory) noexcept {
    for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 64
      for (std::size_t i = 0; i < 64; ++i) {
        V value = V::load_aligned(memory + i * V::size);
        keep(value);
        asm volatile("" : : : "memory");  // or the compiler loads once and keeps what fits the registers
      }
    }
  }

  static void mixed(std::size_t rounds, const float* memory) noexcept {
    const V summand = V::load_aligned(memory);
    const Maxima other(1);
    V sums[chains / 2];
    Maxima maxima[chains / 2];
#pragma GCC unroll 12
    for (std::size_t i = 0; i < chains / 2; ++i) {
      sums[i] = summand;
      maxima[i] = other;
      keep(sums[i]);
    }
    for (std::size_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
      for (std::size_t i = 0; i < chains / 2; ++i) {
        sums[i] += summand;
        maxima[i] = xsimd::max(maxima[i], other);
        keep(maxima[i]);
      }
    }
#pragma GCC unroll 12
    for (std::size_t i = 0; i < chains / 2; ++i) {
      keep(sums[i]);
      keep(maxima[i]);
    }
  }
};

template <class Arch>
constexpr IsaKernels isa_kernels(Isa isa, DirectFunction plain, DirectFunction registers) {
  using Loops = PeakLoops<Arch>;
  return {isa,
          xsimd::batch<float, Arch>::size,
          plain,
          registers,
          {chains, Loops::fma},
          {chains, Loops::add},
          {64, Loops::load},
          {chains, Loops::mixed}};
}

}  // namespace bytecnn::bench
