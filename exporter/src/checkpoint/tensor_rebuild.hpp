#pragma once
/// Dense tensors out of storages: every size, stride and offset checked in 64 bits before a byte is copied.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/zip_archive.hpp"

namespace bytecnn::exporter {

/// Hands out the bytes of a storage; throws `Error` where there are none or where they are too few.
using StorageSource = std::function<EntryBytes(const StorageNode&)>;

class TensorRebuilder {
 public:
  TensorRebuilder(const PickleGraph& graph, StorageSource source, bool big_endian, const CheckpointLimits& limits)
      : graph_(graph), source_(std::move(source)), big_endian_(big_endian), limits_(limits) {}

  /// The tensor of a node of kind `tensor`, contiguous and in native byte order. Throws `Error` at "tensor 'NAME'".
  [[nodiscard]] Tensor rebuild(NodeId id, std::string_view name);
  /// Checks what `rebuild` checks, without copying: libtorch trusts these numbers, so we must not.
  void check(const TensorNode& tensor);
  /// Counts a tensor that is made of `bytes` inside the pickle itself (a NumPy array), `source` being their node.
  void count_array(std::int64_t elements, NodeId source, std::uint64_t bytes);

 private:
  /// How far a tensor reaches.
  struct Extent {
    std::int64_t elements = 0;  ///< of the tensor
    std::int64_t first = 0;     ///< element of the storage
    std::int64_t end = 0;       ///< behind the last one
  };
  [[nodiscard]] Extent extent(const TensorNode& tensor) const;
  [[nodiscard]] ByteSpan bytes_of(std::uint32_t index);
  [[nodiscard]] Tensor copy(const TensorNode& node);
  void count(std::int64_t elements, std::uint64_t bytes);

  const PickleGraph& graph_;
  StorageSource source_;
  bool big_endian_;
  const CheckpointLimits& limits_;
  std::map<std::string, EntryBytes, std::less<>> storages_;
  std::set<NodeId> array_sources_;
  std::int64_t elements_ = 0;
  std::uint64_t storage_bytes_ = 0;
  std::uint64_t tensor_bytes_ = 0;
};

}  // namespace bytecnn::exporter
