#pragma once
/// From tensors to a model: finds the layers of a byte CNN in a checkpoint, whatever they are called, and settles what
/// the tensors alone do not tell.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bytecnn/architecture_statement.hpp"

#include "checkpoint/checkpoint.hpp"
#include "original.hpp"

namespace bytecnn::exporter {

/// What the command line states beside an architecture statement. What is absent states nothing.
struct RecognitionFlags {
  std::optional<Pooling> pooling = std::nullopt;
  std::optional<std::uint32_t> max_len = std::nullopt;
  /// Inner: none means "not padded".
  std::optional<std::optional<std::uint32_t>> pad_token = std::nullopt;
  std::optional<BatchNormSpec::Position> batch_norm_position = std::nullopt;
  std::optional<double> batch_norm_eps = std::nullopt;
  /// Number of label names that were given (0: none); tells a lone `classifier` of that many units from a hidden layer.
  std::size_t labels = 0;
  /// A search by recorded numbers follows: what would be refused as ambiguous, and what loose modules merely suggest,
  /// counts as "default".
  bool search_follows = false;
};

/// Finds embedding, convolutions, batch norms and dense layers by name, by index and by shape; takes hyper-parameters
/// from the modules of a whole-model pickle, from the statement, from the flags, from the gaps in nn.Sequential's
/// numbering, and last from the defaults. `Original::sources` says which it was, for every key that shapes leave open.
///
/// Throws `Error`: `invalid` (shapes, numbers, a statement that contradicts the file), `ambiguous` (the message names
/// the flag or key that settles it) or `unsupported` (a layer that the runtime does not run). The place is the tensor's
/// or the module's name. No tensor is ever ignored, except batch norm's counters.
/// Lines for the user (things that look odd but do not stop the export) are appended to `warnings`.
[[nodiscard]] Original recognise(const Checkpoint& checkpoint, const ArchitectureStatement& statement,
                                 const RecognitionFlags& flags, std::vector<std::string>* warnings = nullptr);

/// Adds to an original that came out of a TorchScript graph what a graph cannot hold: max_len, pad_token and, where the
/// graph ends in bare logits, the output. A statement that contradicts the graph is an `Error`.
void complete_from_statement(Original& original, const ArchitectureStatement& statement, const RecognitionFlags& flags,
                             std::vector<std::string>* warnings = nullptr);

}  // namespace bytecnn::exporter
