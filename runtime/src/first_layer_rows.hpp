#pragma once
/// Embedding and first convolution are linear in a one-hot byte, so they fold into one row a token and tap.

#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn {

/// Embedding and first convolution as one row a token and tap, [vocab_size + 1][kernel_size][filters]: the bias in tap
/// 0, the last token outside the input. In double, whatever the plan makes of it.
[[nodiscard]] std::vector<double> first_layer_rows(const Model& model);

}  // namespace bytecnn
