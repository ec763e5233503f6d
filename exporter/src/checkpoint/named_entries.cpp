#include "checkpoint/named_entries.hpp"

#include <cstddef>
#include <set>
#include <string_view>

#include "checkpoint/name_prefix.hpp"
#include "checkpoint/numpy_array.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {

bool is_tensor_like(const PickleGraph& graph, NodeId id) {
  return graph.is(id, NodeKind::tensor) || graph.is(id, NodeKind::unreadable) || is_numpy_array(graph, id);
}

std::size_t rank_of(const PickleGraph& graph, NodeId id) {
  if (graph.is(id, NodeKind::tensor)) return graph.tensor(id).rank;
  return is_numpy_array(graph, id) ? numpy_rank(graph, id) : 0;
}

void read_entries(const PickleGraph& graph, const std::vector<NamedEntry>& entries, TensorRebuilder& rebuilder,
                  const CheckpointLimits& limits, Checkpoint& checkpoint) {
  std::set<std::string_view> seen;
  std::vector<NameAndRank> names;
  for (const NamedEntry& entry : entries) {
    if (!is_clean_utf8(entry.name) || entry.name.empty()) {
      throw Error(ErrorCode::invalid, "a tensor's name is not plain text: '" + printable(entry.name) + "'");
    }
    if (!seen.insert(entry.name).second) {
      throw Error(ErrorCode::invalid, "two tensors have the name '" + printable(entry.name) + "'");
    }
    names.push_back({entry.name, rank_of(graph, entry.node)});
  }
  refuse_rival_models(names);
  const NamePrefix prefix = find_prefix(names);
  checkpoint.prefix = prefix.prefix;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (!prefix.inside[i]) {
      checkpoint.ignored.push_back(entries[i].name);
      continue;
    }
    const NodeId node = entries[i].node;
    std::string name = entries[i].name.substr(prefix.prefix.size());
    NamedTensor named;
    if (graph.is(node, NodeKind::tensor)) {
      named.tensor = rebuilder.rebuild(node, name);
    } else if (graph.is(node, NodeKind::unreadable)) {
      named.unreadable = graph.text(node);
    } else {
      named = read_numpy_array(graph, node, name, rebuilder, limits);
    }
    named.name = std::move(name);
    checkpoint.tensors.push_back(std::move(named));
  }
}

std::string join_path(const std::string& parent, const std::string& child) {
  if (parent.empty() || child.empty()) return parent + child;
  return parent + "." + child;
}

}  // namespace bytecnn::exporter
