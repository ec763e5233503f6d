#include "checkpoint/pickle_graph.hpp"

#include <bit>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

// A checkpoint of a thousand tensors with its optimizer takes about 10 MB; the whole reader is to stay within 64 MiB
// beside the tensors themselves.
constexpr std::size_t working_memory = 36U << 20U;
constexpr std::size_t max_globals = 4096;
constexpr std::size_t max_global_name = 512;

}  // namespace

PickleGraph::PickleGraph(const CheckpointLimits& limits) : max_nodes_(limits.max_nodes) {
  nodes_.emplace_back();
}

void PickleGraph::charge(std::size_t bytes) {
  charged_ += bytes;
  if (charged_ > working_memory) {
    throw Error(ErrorCode::limit, "the pickle describes more objects than any checkpoint of a model");
  }
}

NodeId PickleGraph::add(Node node) {
  if (nodes_.size() >= max_nodes_) {
    throw Error(ErrorCode::limit, "the pickle describes too many objects", {}, "at most " + std::to_string(max_nodes_));
  }
  charge(sizeof(Node));
  nodes_.push_back(node);
  return static_cast<NodeId>(nodes_.size() - 1);
}

double PickleGraph::real(NodeId id) const {
  return std::bit_cast<double>(nodes_[id].value);
}

std::string_view PickleGraph::text(NodeId id) const {
  const Node& node = nodes_[id];
  if (node.kind == NodeKind::global) return global_order_[node.index];
  return texts_[node.index];
}

std::span<const NodeId> PickleGraph::items(NodeId id) const {
  return sequences_[nodes_[id].index];
}

std::string_view PickleGraph::class_name(NodeId id) const {
  if (!is(id, NodeKind::object)) return {};
  const ObjectNode& object = objects_[nodes_[id].index];
  if (!is(object.callable, NodeKind::global)) return {};
  const std::string_view name = text(object.callable);
  // Protocol 0 and 1 style: copyreg._reconstructor(class, base, state).
  if ((name == "copy_reg._reconstructor" || name == "copyreg._reconstructor") &&
      is(object.arguments, NodeKind::tuple) && !items(object.arguments).empty()) {
    const NodeId first = items(object.arguments)[0];
    if (is(first, NodeKind::global)) return text(first);
  }
  return name;
}

std::span<const NodeId> PickleGraph::mapping(NodeId id) const {
  if (is(id, NodeKind::dict)) return items(id);
  if (is(id, NodeKind::object)) return object(id).dict_items;
  return {};
}

std::span<const NodeId> PickleGraph::attributes(NodeId id) const {
  if (!is(id, NodeKind::object)) return {};
  NodeId state = object(id).state;
  // With __slots__ a state is a pair: dict, slots.
  if (is(state, NodeKind::tuple) && items(state).size() == 2) state = items(state)[0];
  return is(state, NodeKind::dict) ? items(state) : std::span<const NodeId>{};
}

NodeId PickleGraph::lookup(std::span<const NodeId> pairs, std::string_view key) const {
  NodeId found = none_id;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    if (is(pairs[i], NodeKind::text) && text(pairs[i]) == key)
      found = pairs[i + 1];  // the last one counts, as in Python
  }
  return found;
}

NodeId PickleGraph::make(NodeKind kind, std::int64_t value) {
  std::uint32_t index = 0;
  if (kind == NodeKind::list || kind == NodeKind::tuple || kind == NodeKind::dict || kind == NodeKind::set) {
    charge(sizeof(std::vector<NodeId>));
    sequences_.emplace_back();
    index = static_cast<std::uint32_t>(sequences_.size() - 1);
  }
  return add({kind, index, value});
}

NodeId PickleGraph::make_real(double value) {
  return add({NodeKind::real, 0, std::bit_cast<std::int64_t>(value)});
}

NodeId PickleGraph::make_text(NodeKind kind, std::string_view text) {
  charge(sizeof(std::string_view));
  texts_.push_back(text);
  return add({kind, static_cast<std::uint32_t>(texts_.size() - 1), 0});
}

NodeId PickleGraph::make_owned_text(NodeKind kind, std::string text) {
  charge(sizeof(std::string) + text.size());
  owned_.push_back(std::move(text));
  return make_text(kind, owned_.back());
}

NodeId PickleGraph::make_global(std::string_view module, std::string_view name) {
  if (module.size() + name.size() > max_global_name) {
    throw Error(ErrorCode::limit, "the pickle names a class with a name of over 512 characters");
  }
  std::string full(module);
  full += '.';
  full += name;
  auto at = global_index_.find(full);
  if (at == global_index_.end()) {
    if (global_order_.size() >= max_globals) throw Error(ErrorCode::limit, "the pickle names too many classes");
    charge(2 * full.size() + 64);
    at = global_index_.emplace(full, static_cast<std::uint32_t>(global_order_.size())).first;
    global_order_.push_back(std::move(full));
  }
  return add({NodeKind::global, at->second, 0});
}

NodeId PickleGraph::make_sequence(NodeKind kind, std::span<const NodeId> items) {
  const NodeId id = make(kind);
  append_to(sequences_[nodes_[id].index], items);
  return id;
}

NodeId PickleGraph::make_object(NodeId callable, NodeId arguments) {
  charge(sizeof(ObjectNode));
  objects_.push_back({callable, arguments, none_id, {}, {}});
  return add({NodeKind::object, static_cast<std::uint32_t>(objects_.size() - 1), 0});
}

NodeId PickleGraph::make_storage(StorageNode storage) {
  charge(sizeof(StorageNode));
  storages_.push_back(storage);
  return add({NodeKind::storage, static_cast<std::uint32_t>(storages_.size() - 1), 0});
}

NodeId PickleGraph::make_tensor(TensorNode tensor) {
  charge(sizeof(TensorNode));
  tensors_.push_back(tensor);
  return add({NodeKind::tensor, static_cast<std::uint32_t>(tensors_.size() - 1), 0});
}

void PickleGraph::append(NodeId container, std::span<const NodeId> items) {
  append_to(sequences_[nodes_[container].index], items);
}

void PickleGraph::append_to(std::vector<NodeId>& to, std::span<const NodeId> items) {
  // A vector may hold twice what it needs, and a small one is a heap block of its own.
  charge((to.capacity() == 0 && !items.empty() ? 32 : 0) + 2 * sizeof(NodeId) * items.size());
  to.insert(to.end(), items.begin(), items.end());
}

}  // namespace bytecnn::exporter
