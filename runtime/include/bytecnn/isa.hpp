#pragma once
/// Instruction sets: which ones this build holds, which ones this machine runs, and which one is used.
/// Safe from many threads at once, as long as nobody changes the environment meanwhile (`active_isa` reads it).

#include <cstdint>
#include <string_view>
#include <vector>

#include "bytecnn/api.h"

namespace bytecnn BYTECNN_API {

/// `reference` stands for the double-precision specification and is always there.
enum class Isa : std::uint8_t { reference, sse2, avx2, avx512, neon64 };

/// "reference", "sse2", "avx2", "avx512", "neon64".
[[nodiscard]] std::string_view to_string(Isa isa) noexcept;
/// The inverse; throws `Error` (usage) that lists the known names.
[[nodiscard]] Isa parse_isa(std::string_view name);

/// What this build holds and both the processor and the operating system support, fastest first; `reference` is last.
/// Allocates.
[[nodiscard]] std::vector<Isa> supported_isas();

/// What `Classifier` uses unless told otherwise: the value of BYTECNN_FORCE_ISA where it is set, else the fastest.
/// Throws `Error` (usage) where that variable names something unknown or unsupported here.
[[nodiscard]] Isa active_isa();

}  // namespace BYTECNN_API
