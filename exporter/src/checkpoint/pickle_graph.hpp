#pragma once
/// What a pickle describes, as a graph of small nodes in one arena.
///
/// Edges are indices, so the graph may share and even contain itself without harm, and it is freed without recursion.
/// Nothing in it is executable: a class or function is a name, a call is an object that remembers whom it names.

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

using NodeId = std::uint32_t;

enum class NodeKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  ///< beyond 64 bits: its bytes, little-endian two's complement
  real,
  text,  ///< UTF-8 (unchecked)
  bytes,
  list,
  tuple,
  dict,
  set,
  global,  ///< a class or a function, by name
  object,  ///< something that calling a global would have made
  storage,
  tensor,
  unreadable,  ///< a tensor of a kind that is not read; its text says why
};

/// Memory that a tensor's elements lie in.
struct StorageNode {
  std::string_view key;         ///< names the archive entry
  std::string_view class_name;  ///< "torch.FloatStorage"
  std::string_view location;    ///< "cpu", "cuda:0": without meaning here, but for "meta"
  DType dtype = DType::u8;
  bool known_dtype = false;
  std::uint8_t element_bytes = 0;  ///< also of types that are not read, to find the next storage; 0: unknown
  bool untyped = false;            ///< counts bytes, not elements
  std::int64_t elements = 0;       ///< of the whole storage
  std::int64_t view_offset = 0;    ///< oldest files: the storage is a window of another one
  std::int64_t view_size = -1;     ///< -1: to the end
};

struct TensorNode {
  std::uint32_t storage = 0;  ///< index, see PickleGraph::storage
  DType dtype = DType::f32;
  std::uint8_t rank = 0;
  bool parameter = false;
  std::int64_t offset = 0;  ///< in elements
  static constexpr std::size_t most_dimensions = 8;
  std::array<std::int64_t, most_dimensions> sizes{}, strides{};
};

/// An opaque object: `callable(*arguments)`, then whatever was added to it.
struct ObjectNode {
  NodeId callable = 0;
  NodeId arguments = 0;
  NodeId state = 0;                ///< none where it has no state
  std::vector<NodeId> dict_items;  ///< key, value, key, value ...
  std::vector<NodeId> list_items;
};

class PickleGraph {
 public:
  explicit PickleGraph(const CheckpointLimits& limits);

  [[nodiscard]] std::size_t size() const noexcept { return nodes_.size(); }
  [[nodiscard]] NodeKind kind(NodeId id) const { return nodes_[id].kind; }
  [[nodiscard]] bool is(NodeId id, NodeKind kind) const { return nodes_[id].kind == kind; }
  [[nodiscard]] bool boolean(NodeId id) const { return nodes_[id].value != 0; }
  [[nodiscard]] std::int64_t integer(NodeId id) const { return nodes_[id].value; }
  [[nodiscard]] double real(NodeId id) const;
  /// Of text, bytes, big_integer, global (its full name, "torch.nn.modules.conv.Conv1d") and unreadable (the reason).
  [[nodiscard]] std::string_view text(NodeId id) const;
  /// Of list, tuple, set: the items; of dict: key, value, key, value ...
  [[nodiscard]] std::span<const NodeId> items(NodeId id) const;
  [[nodiscard]] const ObjectNode& object(NodeId id) const { return objects_[nodes_[id].index]; }
  [[nodiscard]] const StorageNode& storage(NodeId id) const { return storages_[nodes_[id].index]; }
  [[nodiscard]] std::uint32_t storage_index(NodeId id) const { return nodes_[id].index; }
  [[nodiscard]] const StorageNode& storage_at(std::uint32_t index) const { return storages_[index]; }
  [[nodiscard]] const std::deque<StorageNode>& storages() const noexcept { return storages_; }
  [[nodiscard]] const TensorNode& tensor(NodeId id) const { return tensors_[nodes_[id].index]; }
  [[nodiscard]] const std::deque<TensorNode>& tensors() const noexcept { return tensors_; }
  /// Every global that the pickle names, once, in order.
  [[nodiscard]] const std::deque<std::string>& globals() const noexcept { return global_order_; }

  /// The class of an object, "" where its callable is not a global.
  [[nodiscard]] std::string_view class_name(NodeId id) const;
  /// Key/value pairs of a dict, of an object that behaves like one (AttributeDict, defaultdict), else none.
  [[nodiscard]] std::span<const NodeId> mapping(NodeId id) const;
  /// An object's attributes as key/value pairs (its state dict), else none.
  [[nodiscard]] std::span<const NodeId> attributes(NodeId id) const;
  /// The value under a text key of a list of pairs; node 0 (none) where there is none.
  [[nodiscard]] NodeId lookup(std::span<const NodeId> pairs, std::string_view key) const;

  static constexpr NodeId none_id = 0;
  [[nodiscard]] NodeId make(NodeKind kind, std::int64_t value = 0);
  [[nodiscard]] NodeId make_real(double value);
  /// `text` must outlive the graph: a view into the pickle.
  [[nodiscard]] NodeId make_text(NodeKind kind, std::string_view text);
  [[nodiscard]] NodeId make_owned_text(NodeKind kind, std::string text);
  [[nodiscard]] NodeId make_global(std::string_view module, std::string_view name);
  [[nodiscard]] NodeId make_sequence(NodeKind kind, std::span<const NodeId> items);
  [[nodiscard]] NodeId make_object(NodeId callable, NodeId arguments);
  [[nodiscard]] NodeId make_storage(StorageNode storage);
  [[nodiscard]] NodeId make_tensor(TensorNode tensor);
  void append(NodeId container, std::span<const NodeId> items);
  [[nodiscard]] ObjectNode& mutable_object(NodeId id) { return objects_[nodes_[id].index]; }
  void append_to(std::vector<NodeId>& to, std::span<const NodeId> items);

  /// Counts working memory; throws `Error` (limit) where a pickle asks for more than any real checkpoint needs.
  void charge(std::size_t bytes);

 private:
  struct Node {
    NodeKind kind = NodeKind::none;
    std::uint32_t index = 0;  // into the table of its kind
    std::int64_t value = 0;
  };
  NodeId add(Node node);

  std::uint64_t max_nodes_;
  std::size_t charged_ = 0;
  std::deque<Node> nodes_;  // a deque grows without a moment of twice the memory
  std::deque<std::vector<NodeId>> sequences_;
  std::deque<std::string_view> texts_;
  std::deque<std::string> owned_;
  std::deque<ObjectNode> objects_;
  std::deque<StorageNode> storages_;
  std::deque<TensorNode> tensors_;
  std::map<std::string, std::uint32_t, std::less<>> global_index_;
  std::deque<std::string> global_order_;  // a deque: views of its strings stay valid
};

}  // namespace bytecnn::exporter
