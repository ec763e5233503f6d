#pragma once
/// From the steps of a graph to the structure of a byte CNN, backward from the output.

#include <vector>

#include "original.hpp"
#include "torch/graph_expression.hpp"

namespace bytecnn::exporter {

/// A graph value that shows one layer's output.
struct LayerValue {
  torch::jit::Value* value = nullptr;
  Layout layout = Layout::features;
};

struct MatchedStructure {
  /// Everything but max_len and pad_token, which stay at their defaults.
  Original original;
  /// The logits: the value before a final sigmoid or softmax.
  torch::jit::Value* logits = nullptr;
  /// Every conv block, the pooled features and every dense layer, as `OriginalRunner::layer_outputs` wants them. Empty
  /// where the graph does not hold the pooled features as the architecture defines them (e.g. max before average).
  std::vector<LayerValue> layers;
};

/// Throws `Inexpressible` that names the step which has no place in a byte CNN.
[[nodiscard]] MatchedStructure match_structure(const Expression& output);

}  // namespace bytecnn::exporter
