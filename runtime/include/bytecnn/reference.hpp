#pragma once
/// The specification in simple loops and double precision. Slow on purpose; every fast path is tested against it.
/// All functions allocate and may be called from many threads at once. `model` must be valid: see `validate`.

#include <cstddef>
#include <span>
#include <vector>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// Logits of `model` for `input`, [outputs], computed in double from the model's float weights.
/// Throws `Error` (invalid) where the input is not padded and shorter than the model can process.
[[nodiscard]] std::vector<double> reference_logits(const Model& model, std::span<const std::byte> input);

/// Scores of logits under `output`: sigmoid of each, softmax over all, or the logits themselves.
[[nodiscard]] std::vector<double> reference_scores(Output output, std::span<const double> logits);

/// What every stage gives for one input: each conv block [filters][positions] row-major, the pooled features, each
/// dense layer's output, and last the logits. Errors as `reference_logits`.
[[nodiscard]] std::vector<std::vector<double>> reference_layer_outputs(const Model& model,
                                                                       std::span<const std::byte> input);

}  // namespace BYTECNN_API
