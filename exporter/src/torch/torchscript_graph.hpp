#pragma once
/// A TorchScript file's forward as a graph of its own, whose weights are constants of one floating type.

#include <memory>
#include <string>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include "torch/structure_matcher.hpp"

namespace bytecnn::exporter {

/// The module of a file in evaluation mode, frozen, batch norm not folded, everything inlined. Throws `Error`.
[[nodiscard]] std::shared_ptr<torch::jit::Graph> load_frozen_graph(const std::string& path);

struct TypedGraph {
  std::shared_ptr<torch::jit::Graph> graph;  ///< its outputs are cut back to the logits, then the layers
  MatchedStructure structure;
};

/// A copy of `frozen` in which all weights have the type `type`, described, with outputs logits, layer 1, layer 2, ...
/// Throws `Error` (unsupported) that names the operator which has no place in a byte CNN.
[[nodiscard]] TypedGraph typed_graph(const torch::jit::Graph& frozen, at::ScalarType type, const std::string& path);

}  // namespace bytecnn::exporter
