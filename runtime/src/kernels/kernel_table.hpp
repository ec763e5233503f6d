#pragma once
/// The kernels of each instruction set, as the dispatcher sees them.

#include <cstdint>

#include "bytecnn/isa.hpp"

#include "plan.hpp"

namespace bytecnn::kernels {

struct KernelTable {
  Isa isa = Isa::reference;
  std::uint32_t lanes = 0;      ///< floats a vector
  std::uint32_t registers = 0;  ///< vector registers, which limit how much a kernel keeps in flight
  RunFunction run = nullptr;
  PoolFunction pool = nullptr;
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
