#pragma once
/// The model as it was trained, built anew out of libtorch's functional operators: batch norm unfolded, in PyTorch's
/// own arithmetic. What an export of a state dict is compared with.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "torch/torch_backend.hpp"

namespace bytecnn::exporter {

class RebuiltModel final : public OriginalRunner {
 public:
  /// Copies the weights. Throws `Error` (invalid) where their sizes do not fit the architecture.
  explicit RebuiltModel(const Original& original);

  std::vector<double> logits(std::span<const std::byte> input) override;
  std::vector<double> logits_float32(std::span<const std::byte> input) override;
  std::vector<std::vector<double>> layer_outputs(std::span<const std::byte> input) override;
  std::string engine() const override;

 private:
  struct BatchNorm {
    at::Tensor gamma, beta, mean, variance;
  };
  struct Conv {
    at::Tensor weight, bias;
    BatchNorm batch_norm;
  };
  struct Dense {
    at::Tensor weight, bias;
  };
  struct Parameters {
    at::Tensor embedding;
    std::vector<Conv> conv;
    std::vector<Dense> dense;  ///< the output layer is the last
    [[nodiscard]] Parameters as(at::ScalarType type) const;
  };

  [[nodiscard]] at::Tensor conv_block(const ConvLayer& layer, const Conv& conv, const at::Tensor& input) const;
  [[nodiscard]] at::Tensor pool(const at::Tensor& columns) const;
  /// Logits [1, outputs]; every stage's output is appended to `stages` where it is given.
  [[nodiscard]] at::Tensor run(const Parameters& parameters, std::span<const std::byte> input,
                               std::vector<at::Tensor>* stages = nullptr) const;

  Architecture architecture_;
  Parameters parameters_;
  std::optional<Parameters> float32_;  ///< made on first use
};

}  // namespace bytecnn::exporter
