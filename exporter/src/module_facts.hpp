#pragma once
/// What the submodules of a whole-model pickle tell: hyper-parameters, and the order inside nn.Sequential.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bytecnn/architecture_statement.hpp"
#include "bytecnn/model.hpp"

#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

/// Attributes of one Conv1d.
struct ConvFacts {
  std::uint32_t stride = 1;
  std::uint32_t dilation = 1;
  std::uint32_t groups = 1;
  PaddingStatement padding;
};

/// What follows a Conv1d or a Linear inside its nn.Sequential.
struct SequenceFacts {
  std::string batch_norm;  ///< path of the batch norm in the same run, or empty
  std::optional<BatchNormSpec::Position> position;
  /// Set where the sequence settles it: an activation follows, or the next layer follows without one.
  std::optional<Activation> activation;
};

struct ModuleFacts {
  bool present = false;                            ///< false: not a whole-model pickle, nothing is known
  std::map<std::string, ConvFacts> convs;          ///< by path
  std::map<std::string, double> eps;               ///< of batch norms, by path
  std::map<std::string, SequenceFacts> sequences;  ///< of convolutions and dense layers inside an nn.Sequential
  std::map<std::string, std::optional<std::uint32_t>> padding_idx;  ///< of embeddings
  /// Kinds of activation among modules outside every nn.Sequential (`self.act = nn.GELU()`): what forward() does with
  /// them is not in the file, but a lone kind is a better guess than the default.
  std::vector<Activation> loose_activations;
  std::optional<Output> output;  ///< a Sigmoid or Softmax at the end of the head, or outside every nn.Sequential
  bool adaptive_max = false;
  bool adaptive_avg = false;
  std::vector<std::string> warnings;
};

/// Reads the modules of `checkpoint`. Throws `Error` (unsupported) that names the module and its class where the
/// runtime cannot run it (Conv2d, LSTM, ConvTranspose1d, MaxPool1d, padding_mode other than zeros, ...).
[[nodiscard]] ModuleFacts read_module_facts(const Checkpoint& checkpoint);

/// Plain attributes of modules whose class is the user's own ("blocks.0.kernel_size" -> "3"): what they mean only
/// forward() knows, so they are hints to show, never to use.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> class_hints(const std::vector<Module>& modules);

}  // namespace bytecnn::exporter
