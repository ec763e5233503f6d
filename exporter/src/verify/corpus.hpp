#pragma once
/// The inputs of a verification: edges, adversaries, chance, and the user's own.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Deterministic for a model, a seed and options. The telling inputs come first; generated inputs stop where
/// `options.work_limit` is reached, the user's corpus always follows whole.
[[nodiscard]] std::vector<NamedInput> verification_inputs(const Model& model, const VerifyOptions& options);

/// Multiplications of the reference for an input of `bytes` bytes.
[[nodiscard]] std::uint64_t reference_work(const Architecture& architecture, std::size_t bytes);

/// The shortest input that the model takes; 0 where it pads.
[[nodiscard]] std::size_t shortest_input(const Architecture& architecture);

}  // namespace bytecnn::exporter
