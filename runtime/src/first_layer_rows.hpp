#pragma once
/// Embedding and first convolution are linear in a one-hot byte, so they fold into one row a token and tap.

#include <cstddef>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn {

/// Embedding and first convolution as one row a token and tap: the bias in tap 0, the last token outside the input. In
/// double, whatever the plan makes of it. The model must outlive it.
class FirstLayerRows {
 public:
  explicit FirstLayerRows(const Model& model);
  /// `token` is at most the size of the vocabulary; `row` holds [kernel_size][filters].
  void compute(std::size_t token, double* row) const;

 private:
  const Model& model_;
  std::vector<double> weight_;  ///< [tap][d][filter], so that the innermost loop runs over filters
};

/// All of them: [vocab_size + 1][kernel_size][filters].
[[nodiscard]] std::vector<double> first_layer_rows(const Model& model);

}  // namespace bytecnn
