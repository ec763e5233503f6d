#pragma once
/// The door to libtorch. Loading libtorch costs more than a whole export, so it lies in a module of its own
/// (`libbytecnn_torch`) that is opened on first use; everything on this side of the door is free of its headers.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "original.hpp"

namespace bytecnn::exporter {

/// The original model, runnable. Not safe from several threads at once.
class OriginalRunner {
 public:
  virtual ~OriginalRunner() = default;
  /// Logits in double, [outputs], truncation and padding included. Throws `Error` where the input is too short.
  [[nodiscard]] virtual std::vector<double> logits(std::span<const std::byte> input) = 0;
  /// The same run in float32.
  [[nodiscard]] virtual std::vector<double> logits_float32(std::span<const std::byte> input) = 0;
  /// Output of every conv block in double, [filters][positions] row-major, then the pooled features, every dense
  /// layer's output and the logits (as `reference_layer_outputs`); to find the first layer that differs. Empty where
  /// the original does not reveal them.
  [[nodiscard]] virtual std::vector<std::vector<double>> layer_outputs(std::span<const std::byte> input) = 0;
  /// What runs the original, for reports: "libtorch 1.13.1".
  [[nodiscard]] virtual std::string engine() const { return "unknown"; }
};

class TorchBackend {
 public:
  virtual ~TorchBackend() = default;
  [[nodiscard]] virtual std::string version() const = 0;
  /// The unfolded model out of libtorch's own functional operators, in double.
  [[nodiscard]] virtual std::unique_ptr<OriginalRunner> rebuild(const Original& original) = 0;
  /// What the graph of a TorchScript file says: everything but max_len, pad_token and labels. The caller has scanned
  /// the archive's code already. Throws `Error` (unsupported) that names the first operator it cannot express.
  [[nodiscard]] virtual Original describe_torchscript(const std::string& path) = 0;
  /// The TorchScript module itself as the original; `architecture` gives max_len, pad_token and output.
  [[nodiscard]] virtual std::unique_ptr<OriginalRunner> run_torchscript(const std::string& path,
                                                                        const Architecture& architecture) = 0;
};

/// Opens the module beside the running program (or where BYTECNN_TORCH_MODULE points) on first use.
/// Throws `Error` (io) that says how to install libtorch where it cannot be opened.
[[nodiscard]] TorchBackend& torch_backend();

}  // namespace bytecnn::exporter
