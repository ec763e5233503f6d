#pragma once
/// The bound for every input, put together.

#include "bytecnn/model.hpp"

#include "original.hpp"
#include "verify/bound.hpp"

namespace bytecnn::exporter {

/// Bounds |export - original| on every logit and score, for every input of any kind, on every instruction set of this
/// machine. With `all_windows` the first layer's windows are run one by one where its kernel is at most 3, on all
/// cores. The export must state the original's architecture: otherwise there is no bound, and the result says why.
[[nodiscard]] Bound bound_every_input(const Original& original, const Model& model, bool all_windows);

}  // namespace bytecnn::exporter
