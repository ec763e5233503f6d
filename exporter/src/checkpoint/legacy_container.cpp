#include "checkpoint/legacy_container.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "checkpoint/pickle_machine.hpp"
#include "checkpoint/printable.hpp"
#include "checkpoint/state_dict_selection.hpp"
#include "checkpoint/tensor_rebuild.hpp"
#include "checkpoint/torch_globals.hpp"

namespace bytecnn::exporter {
namespace {

// torch.serialization: MAGIC_NUMBER = 0x1950a86a20f9469cfc6c, PROTOCOL_VERSION = 1001.
constexpr std::string_view magic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10};
constexpr std::int64_t protocol_version = 1001;
constexpr std::size_t max_preamble = 4096;

NodeId run(ByteSpan bytes, std::size_t& position, PickleGraph& graph, const CheckpointLimits& limits,
           const char* what) {
  try {
    return run_pickle(bytes, position, graph, limits);
  } catch (const Error& error) {
    throw error.at(what);
  }
}

/// Magic number, protocol version and a dict about the writing system: small pickles of no other use.
void check_preamble(ByteSpan bytes, std::size_t& position, const CheckpointLimits& limits, Checkpoint& checkpoint) {
  const ByteSpan head = bytes.first(std::min(bytes.size(), max_preamble));
  PickleGraph graph(limits);
  const auto not_torch = [] {
    return Error(ErrorCode::unsupported,
                 "a plain pickle, not a file of torch.save: load it in Python and "
                 "torch.save(model.state_dict(), ...)");
  };
  NodeId number = 0;
  try {
    number = run_pickle(head, position, graph, limits);
  } catch (const Error&) {
    throw not_torch();
  }
  if (!graph.is(number, NodeKind::big_integer) || graph.text(number) != magic) throw not_torch();
  const NodeId version = run(head, position, graph, limits, "protocol version");
  if (!graph.is(version, NodeKind::integer) || graph.integer(version) != protocol_version) {
    throw Error(ErrorCode::unsupported, "unknown protocol of the legacy container", {},
                std::to_string(protocol_version));
  }
  const NodeId system = run(head, position, graph, limits, "system information");
  // PyTorch writes the storages of this container little-endian on every machine and ignores this flag when it loads.
  const NodeId little = graph.lookup(graph.mapping(system), "little_endian");
  if (graph.is(little, NodeKind::boolean) && !graph.boolean(little)) {
    checkpoint.warnings.emplace_back("written on a big-endian machine; its data is little-endian all the same");
  }
}

using StoragePlaces = std::map<std::string, ByteSpan, std::less<>>;

/// Behind the last pickle: for each key a count of elements and the elements.
StoragePlaces find_storages(ByteSpan bytes, std::size_t& position, const PickleGraph& graph,
                            const CheckpointLimits& limits) {
  std::map<std::string_view, const StorageNode*> stated;
  for (const StorageNode& storage : graph.storages()) stated.emplace(storage.key, &storage);
  PickleGraph keys(limits);
  const NodeId list = run(bytes, position, keys, limits, "list of storages");
  if (!keys.is(list, NodeKind::list)) throw Error(ErrorCode::invalid, "the list of storages is missing");
  StoragePlaces places;
  for (const NodeId item : keys.items(list)) {
    if (!keys.is(item, NodeKind::text)) throw Error(ErrorCode::invalid, "a storage's key is not text");
    const std::string_view key = keys.text(item);
    const std::string where = "storage '" + printable(key) + "'";
    const auto at = stated.find(key);
    if (at == stated.end()) throw Error(ErrorCode::invalid, "no tensor uses this storage", where);
    const StorageNode& storage = *at->second;
    if (storage.element_bytes == 0) {
      throw Error(ErrorCode::unsupported, "a storage of unknown type", where, {}, printable(storage.class_name));
    }
    try {
      ByteReader reader(bytes, "the file", position);
      const auto elements = reader.number<std::int64_t>();
      std::int64_t size = 0;
      if (elements != storage.elements || !multiply(elements, storage.element_bytes, size)) {
        throw Error(ErrorCode::invalid, "the storage has not the size that the pickle states", {},
                    std::to_string(storage.elements), std::to_string(elements));
      }
      const ByteSpan data = reader.take(static_cast<std::uint64_t>(size));
      position = reader.position();
      if (!places.emplace(std::string(key), data).second)
        throw Error(ErrorCode::invalid, "the storage stands there twice");
    } catch (const Error& error) {
      throw error.at(where);
    }
  }
  return places;
}

}  // namespace

Checkpoint read_legacy_container(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits) {
  Checkpoint checkpoint;
  checkpoint.container = "legacy";
  std::size_t position = 0;
  check_preamble(bytes, position, limits, checkpoint);
  PickleGraph graph(limits);
  const ByteSpan affordable =
      bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), position + limits.max_pickle_bytes)));
  const NodeId root = run(affordable, position, graph, limits, "pickle");
  const StoragePlaces places = find_storages(bytes, position, graph, limits);
  if (position != bytes.size()) {
    checkpoint.warnings.push_back(std::to_string(bytes.size() - position) +
                                  " bytes after the last storage were not read");
  }
  const StorageSource source = [&places](const StorageNode& storage) {
    const auto at = places.find(storage.key);
    if (at == places.end()) throw Error(ErrorCode::invalid, "the file has no storage '" + printable(storage.key) + "'");
    return EntryBytes(at->second);
  };
  TensorRebuilder rebuilder(graph, source, false, limits);
  list_opaque(graph, checkpoint);
  select_state_dict(graph, root, rebuilder, key, limits, checkpoint);
  return checkpoint;
}

}  // namespace bytecnn::exporter
