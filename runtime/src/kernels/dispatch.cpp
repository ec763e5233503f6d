// Which kernels this machine runs, and which of them are used.

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/error.hpp"
#include "bytecnn/isa.hpp"

#include "kernels/kernel_table.hpp"

namespace bytecnn {
namespace {

constexpr std::array all_isas = {Isa::avx512, Isa::avx2, Isa::sse2, Isa::neon64, Isa::reference};

std::string names_of(const std::vector<Isa>& isas) {
  std::string names;
  for (const Isa isa : isas) names += (names.empty() ? "" : ", ") + std::string(to_string(isa));
  return names;
}

}  // namespace

namespace kernels {

const KernelTable* find(Isa isa) noexcept {
#if defined(BYTECNN_KERNELS_X86)
  // __builtin_cpu_supports also asks whether the operating system saves the wider registers.
  __builtin_cpu_init();
  if (isa == Isa::sse2) return &sse2;
  if (isa == Isa::avx2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2;
  if (isa == Isa::avx512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return &avx512;
  }
#endif
#if defined(BYTECNN_KERNELS_NEON64)
  if (isa == Isa::neon64) return &neon64;
#endif
  return nullptr;
}

}  // namespace kernels

std::string_view to_string(Isa isa) noexcept {
  switch (isa) {
    case Isa::reference:
      return "reference";
    case Isa::sse2:
      return "sse2";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::neon64:
      return "neon64";
  }
  return "?";
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : all_isas) {
    if (to_string(isa) == name) return isa;
  }
  throw Error(ErrorCode::usage, "unknown instruction set", {}, "one of " + names_of({all_isas.begin(), all_isas.end()}),
              "\"" + std::string(name) + "\"");
}

std::vector<Isa> supported_isas() {
  std::vector<Isa> supported;
  for (const Isa isa : all_isas) {
    if (isa == Isa::reference || kernels::find(isa) != nullptr) supported.push_back(isa);
  }
  return supported;
}

Isa active_isa() {
  const char* forced = std::getenv("BYTECNN_FORCE_ISA");  // NOLINT(concurrency-mt-unsafe): read, never written
  if (forced == nullptr || *forced == '\0') return supported_isas().front();
  try {
    const Isa isa = parse_isa(forced);
    if (isa == Isa::reference || kernels::find(isa) != nullptr) return isa;
  } catch (const Error& error) {
    throw error.at("BYTECNN_FORCE_ISA");
  }
  throw Error(ErrorCode::usage, "this machine or this build does not run that instruction set", "BYTECNN_FORCE_ISA",
              "one of " + names_of(supported_isas()), std::string("\"") + forced + "\"");
}

}  // namespace bytecnn
