#pragma once
/// Tensors of a pickle that have got their names but not yet been read.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/tensor_rebuild.hpp"

namespace bytecnn::exporter {

struct NamedEntry {
  std::string name;
  NodeId node = 0;
};

/// A dense tensor, a NumPy array, or a tensor of a kind that is not read.
[[nodiscard]] bool is_tensor_like(const PickleGraph& graph, NodeId id);
/// Number of dimensions; 0 where it is not known.
[[nodiscard]] std::size_t rank_of(const PickleGraph& graph, NodeId id);

/// Finds the common prefix of the names, reads the tensors under it into `checkpoint.tensors`, and lists the others in
/// `checkpoint.ignored`. Throws `Error` where a name occurs twice or is not text that can be written.
void read_entries(const PickleGraph& graph, const std::vector<NamedEntry>& entries, TensorRebuilder& rebuilder,
                  const CheckpointLimits& limits, Checkpoint& checkpoint);

/// "a" and "b" as "a.b"; either may be empty.
[[nodiscard]] std::string join_path(const std::string& parent, const std::string& child);

}  // namespace bytecnn::exporter
