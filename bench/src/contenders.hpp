#pragma once
/// All contenders of one model.

#include <memory>
#include <vector>

#include "bytecnn/model.hpp"

#include "contender.hpp"

namespace bytecnn::bench {

/// This engine on every instruction set of the machine, widest first ("bytecnn avx512", ...), then the widest by
/// batches on one thread and on all processors ("bytecnn avx512 batches", "bytecnn avx512 batches, 2 threads");
/// libtorch eager and TorchScript where they are built in; "registers direct" and "plain direct" on the machine's
/// widest instruction set ("registers direct" only for models without groups).
[[nodiscard]] std::vector<std::unique_ptr<Contender>> make_contenders(const Model& model);

inline constexpr bool with_libtorch =
#if defined(BYTECNN_BENCH_LIBTORCH)
    true;
#else
    false;
#endif

}  // namespace bytecnn::bench
