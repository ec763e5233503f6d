#pragma once
/// A TorchScript module as the original: its own graph, run operator by operator, nothing optimised.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <torch/csrc/jit/runtime/interpreter.h>

#include "torch/torch_backend.hpp"
#include "torch/torchscript_graph.hpp"

namespace bytecnn::exporter {

class TorchscriptModule final : public OriginalRunner {
 public:
  /// Loads the file; `architecture` gives max_len and pad_token. Throws `Error`.
  TorchscriptModule(std::string path, Architecture architecture);

  std::vector<double> logits(std::span<const std::byte> input) override;
  std::vector<double> logits_float32(std::span<const std::byte> input) override;
  std::vector<std::vector<double>> layer_outputs(std::span<const std::byte> input) override;
  std::string engine() const override;

 private:
  /// Logits and layers, in the type of `graph`.
  [[nodiscard]] std::vector<at::Tensor> run(const TypedGraph& graph, const torch::jit::Code& code,
                                            std::span<const std::byte> input) const;
  [[nodiscard]] std::vector<double> checked_logits(const at::Tensor& logits) const;

  std::string path_;
  Architecture architecture_;
  std::shared_ptr<torch::jit::Graph> frozen_;
  TypedGraph double_;
  torch::jit::Code double_code_;
  std::optional<TypedGraph> float32_;  ///< made on first use
  torch::jit::Code float32_code_;
};

}  // namespace bytecnn::exporter
