#pragma once
/// The model as it was trained: unfolded, in double. The meeting point of recognition (checkpoint -> Original), folding
/// (Original -> Model) and verification (Original run by libtorch against Model run by the runtime).

#include <map>
#include <string>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter {

struct OriginalBatchNorm {
  std::vector<double> gamma;  ///< [filters]; all ones without affine
  std::vector<double> beta;   ///< [filters]; all zeros without affine
  std::vector<double> mean;   ///< running mean
  std::vector<double> variance;
};

struct OriginalConv {
  std::vector<double> weight;    ///< [filters][in_channels / groups][kernel_size]
  std::vector<double> bias;      ///< [filters]; empty: no bias
  OriginalBatchNorm batch_norm;  ///< used where the layer's `batch_norm` is set
};

struct OriginalDense {
  std::vector<double> weight;  ///< [units][inputs]
  std::vector<double> bias;    ///< [units]; empty: no bias
};

struct Original {
  Architecture architecture;
  std::vector<double> embedding;  ///< [vocab_size][embed_dim]
  std::vector<OriginalConv> conv;
  std::vector<OriginalDense> dense;
  OriginalDense output;
  std::uint64_t parameters = 0;  ///< learned numbers: all but running statistics and counters
  /// Architecture key -> "checkpoint" (shapes), "stated", "default", "torchscript", "module": written to
  /// model_info.assumed for every key that the shapes alone do not settle.
  std::map<std::string, std::string> sources;
};

/// Folds batch norm that stands before the activation into the convolution, turns batch norm after it into a scale and
/// a shift, in double, rounding once to float. Fills architecture, weights and info.parameters/assumed.
/// Throws `Error` where a folded number is not finite in float.
[[nodiscard]] Model fold(const Original& original);

}  // namespace bytecnn::exporter
