#pragma once
/// A pickled nn.Module read without its class: its tree of submodules, with their hyper-parameters and tensors, out of
/// the attributes that every module has (`_parameters`, `_buffers`, `_modules`).

#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/named_entries.hpp"
#include "checkpoint/pickle_graph.hpp"

namespace bytecnn::exporter {

[[nodiscard]] bool is_module(const PickleGraph& graph, NodeId id);

struct ModuleTree {
  std::vector<Module> modules;       ///< the root first, each before its children
  std::vector<NamedEntry> entries;   ///< in the order of state_dict()
  std::vector<std::string> ignored;  ///< non-persistent buffers
};

/// Throws `Error` where the tree is too deep or too large, as one that contains itself is.
[[nodiscard]] ModuleTree read_module_tree(const PickleGraph& graph, NodeId root, const CheckpointLimits& limits);

/// The same for a TorchScript module: its attributes are its parameters, buffers and submodules.
[[nodiscard]] ModuleTree read_script_module(const PickleGraph& graph, NodeId root, const CheckpointLimits& limits);

/// Takes `prefix` ("module.") off the paths of modules; wrappers above it are left out.
void strip_module_prefix(std::vector<Module>& modules, const std::string& prefix);

}  // namespace bytecnn::exporter
