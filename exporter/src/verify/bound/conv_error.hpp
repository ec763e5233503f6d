#pragma once
/// Ranges and errors through one conv block.

#include <vector>

#include "bytecnn/model.hpp"

#include "verify/bound/arithmetic.hpp"
#include "verify/bound/column_bounds.hpp"
#include "verify/bound/exact_layers.hpp"
#include "verify/bound/own_errors.hpp"

namespace bytecnn::exporter {

struct ConvBlock {
  const ConvLayer& layer;
  const ExactConv& exact;  ///< of the original
  const ConvWeights& exported;
  std::size_t index = 0;  ///< of the layer
};

/// The exact parts T[tap][token][filter] of a first convolution, whose input columns are the embedding's rows, the bias
/// spread evenly. `tokens` rows of `embedding` count, and one more that stands for "outside the input".
[[nodiscard]] SeparableColumns first_layer_parts(const ConvBlock& block, const std::vector<double>& embedding,
                                                 std::size_t embed_dim, const std::vector<std::size_t>& tokens);

/// Errors of a block's sums that are known better than by analysis: [ways][filters].
struct KnownSumErrors {
  std::vector<std::vector<double>> error;
  bool after_relu = false;  ///< of relu(sum)
};

struct ThroughBlock {
  ColumnBounds columns;        ///< ranges of the block's output, and its errors in each of the ways
  std::vector<OwnErrors> own;  ///< [ways]: what the block adds by itself
};

/// One block. `input` are its columns with errors in `ways`. `parts` is the first layer's separable form where this is
/// the first layer, else null; `known` may be null, and is not counted in `own`.
[[nodiscard]] ThroughBlock through(const ConvBlock& block, const ColumnBounds& input,
                                   const std::vector<Arithmetic>& ways, const SeparableColumns* parts,
                                   const KnownSumErrors* known);

}  // namespace bytecnn::exporter
