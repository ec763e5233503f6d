#pragma once
/// The kernels of each instruction set, as the dispatcher sees them.

#include <cstddef>
#include <cstdint>

#include "bytecnn/isa.hpp"

#include "plan.hpp"

namespace bytecnn::kernels {

/// A text, as bytes.
struct Text {
  const unsigned char* bytes = nullptr;
  std::size_t length = 0;
};

/// As a `PoolFunction`, for `count` texts and by a plan whose trigrams are pooled, into `features`, rows of
/// plan.features_floats aligned to 64 bytes, with room for one more behind them. The same bits however many texts are
/// given at once, but sooner where the windows of several fit a tile.
using PoolTextsFunction = void (*)(const Plan& plan, const Text* texts, std::size_t count, float* working,
                                   float* features) noexcept;

struct KernelTable {
  Isa isa = Isa::reference;
  std::uint32_t lanes = 0;      ///< floats a vector
  std::uint32_t registers = 0;  ///< vector registers, which limit how much a kernel keeps in flight
  RunFunction run = nullptr;
  PoolFunction pool = nullptr;
  PoolTextsFunction pool_texts = nullptr;
  HeadFunction head = nullptr;
  HeadsFunction heads = nullptr;
  EntriesFunction entries = nullptr;
  PoolFunction pool_int32 = nullptr;  ///< plans of `Arithmetic::int32` (fixed_point.hpp), to whole numbers
  PoolFunction pool_int16 = nullptr;
};

#if defined(BYTECNN_KERNELS_X86)
extern const KernelTable sse2;
extern const KernelTable avx2;
extern const KernelTable avx512;
#endif
#if defined(BYTECNN_KERNELS_NEON64)
extern const KernelTable neon64;
#endif

/// The kernels of `isa`, or null where this build does not hold them or this machine does not run them.
[[nodiscard]] const KernelTable* find(Isa isa) noexcept;

}  // namespace bytecnn::kernels
