#pragma once
/// What a long input means under a strategy, straight from the definition.

#include <vector>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn::testing {

/// Logits of an input under any strategy but `truncate`: every window by the double reference, then the aggregate of
/// their logits, each output by itself. An input of at most max_len bytes is one window.
[[nodiscard]] std::vector<double> naive_window_logits(const Model& model, const Bytes& input, Strategy strategy);

}  // namespace bytecnn::testing
