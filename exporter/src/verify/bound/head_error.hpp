#pragma once
/// Ranges and errors through pooling, dense layers and scores.

#include <cstddef>
#include <vector>

#include "bytecnn/model.hpp"

#include "original.hpp"
#include "verify/bound/arithmetic.hpp"
#include "verify/bound/column_bounds.hpp"
#include "verify/bound/own_errors.hpp"

namespace bytecnn::exporter {

/// A vector of the network: pooled features, or a dense layer's output.
struct Features {
  std::vector<Interval> range;             ///< in the exact original
  std::vector<std::vector<double>> error;  ///< [ways][features]
  /// Of pooled features: what pooling adds by itself; `bound` is not set. [ways][features]
  std::vector<std::vector<OwnError>> own;
};

/// The layers behind the pooling.
struct HeadErrors {
  std::vector<Features> outputs;  ///< of every layer; the last holds the logits
  /// |derivative| of each logit by each pooled feature, over all inputs: [logits][features]. Empty where it would cost
  /// too much.
  std::vector<std::vector<double>> by_feature;
  /// What pooling and these layers add to each logit, `bound` aside: [ways][logits]. Empty with `by_feature`.
  std::vector<std::vector<OwnError>> own;
};

/// Pooled features; an input can have from `fewest_positions` to `most_positions` columns.
[[nodiscard]] Features pooled(Pooling pooling, const ColumnBounds& columns, const std::vector<Arithmetic>& ways,
                              double fewest_positions, double most_positions);

/// Dense layers and output layer. The error of a logit is the smaller of two bounds: layer by layer with sizes of
/// weights, and every layer's own error times the interval Jacobian from there to the logit.
[[nodiscard]] HeadErrors head(const Original& original, const Model& model, const Features& features,
                              const std::vector<Arithmetic>& ways);

/// What a score can be off by where no logit is off by more than `logit_error`.
[[nodiscard]] double score_error(Output output, double logit_error, std::size_t outputs, double u);

}  // namespace bytecnn::exporter
