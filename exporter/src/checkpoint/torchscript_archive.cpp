#include "checkpoint/torchscript_archive.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "checkpoint/module_tree.hpp"
#include "checkpoint/named_entries.hpp"
#include "checkpoint/printable.hpp"
#include "checkpoint/torch_globals.hpp"
#include "checkpoint/torchscript_code_scan.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::uint64_t max_source = 4U << 20U;
constexpr std::size_t max_sources = 4096;
constexpr std::uint64_t max_positions = 32U << 20U;  // of all .debug_pkl together
constexpr std::size_t deepest_value = 100;

/// Records of torch.jit.save. Others change what libtorch does with the file ("model.json" makes it read code from
/// elsewhere), so none is let through.
bool is_known_record(std::string_view name) {
  for (const std::string_view exact :
       {"data.pkl", "constants.pkl", "version", "byteorder", ".format_version", ".storage_alignment",
        "traced_inputs.pkl", "bytecode.pkl", "mobile_debug_handles.pkl"}) {
    if (name == exact) return true;
  }
  if (name.starts_with("code/")) return name.ends_with(".py") || name.ends_with(".py.debug_pkl");
  for (const std::string_view folder : {"data/", "constants/", "traced_inputs/", ".data/", "extra/"}) {
    if (name.starts_with(folder)) return true;
  }
  return false;
}

void check_records(const TorchArchive& archive) {
  const std::string& root = archive.root();
  if (std::count(root.begin(), root.end(), '/') != 1) {
    throw Error(ErrorCode::invalid, "a TorchScript archive within a folder; PyTorch does not read such files");
  }
  std::set<std::string> seen;
  for (const ZipEntry& entry : archive.zip().entries()) {
    const std::string_view name = entry.name;
    if (name == root) continue;  // the folder itself, as zip programs write it
    if (!name.starts_with(root) || !is_known_record(name.substr(root.size()))) {
      throw Error(ErrorCode::unsupported, "the TorchScript archive holds a record that torch.jit.save does not write",
                  "zip entry '" + printable(name) + "'");
    }
    // libtorch finds records without regard to case: of two such names it might read the one that we did not.
    std::string folded(name);
    std::transform(folded.begin(), folded.end(), folded.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    if (!seen.insert(std::move(folded)).second) {
      throw Error(ErrorCode::invalid, "two records differ in case alone", "zip entry '" + printable(name) + "'");
    }
  }
}

std::span<const NodeId> children(const PickleGraph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case NodeKind::list:
    case NodeKind::tuple:
    case NodeKind::dict:
    case NodeKind::set:
      return graph.items(id);
    default:
      return {};
  }
}

/// libtorch follows and frees such a graph by recursion: no cycles, no depth beyond what a module has.
void check_depth(const PickleGraph& graph, NodeId root, const std::string& where) {
  struct Frame {
    NodeId id;
    std::size_t next = 0;
    std::vector<NodeId> edges;
  };
  enum class State : std::uint8_t { fresh, open, done };
  std::vector<State> states(graph.size(), State::fresh);
  std::vector<std::uint8_t> heights(graph.size(), 0);
  const auto edges_of = [&](NodeId id) {
    const auto items = children(graph, id);
    std::vector<NodeId> edges(items.begin(), items.end());
    if (graph.is(id, NodeKind::object)) {
      const ObjectNode& object = graph.object(id);
      edges = {object.arguments, object.state};
      edges.insert(edges.end(), object.dict_items.begin(), object.dict_items.end());
      edges.insert(edges.end(), object.list_items.begin(), object.list_items.end());
    }
    return edges;
  };
  std::vector<Frame> stack;
  const auto open = [&](NodeId id) {
    states[id] = State::open;
    stack.push_back({id, 0, edges_of(id)});
  };
  open(root);
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (frame.next == frame.edges.size()) {
      states[frame.id] = State::done;
      const std::uint8_t height = heights[frame.id];
      stack.pop_back();
      if (!stack.empty()) {
        std::uint8_t& parent = heights[stack.back().id];
        parent = std::max(parent, static_cast<std::uint8_t>(height + 1));
      }
      continue;
    }
    const NodeId child = frame.edges[frame.next++];
    if (states[child] == State::open) throw Error(ErrorCode::invalid, "an object that contains itself", where);
    if (states[child] == State::done) {
      heights[frame.id] = std::max(heights[frame.id], static_cast<std::uint8_t>(heights[child] + 1));
    } else {
      open(child);  // invalidates `frame`
    }
    if (stack.size() > deepest_value || heights[stack.back().id] > deepest_value) {
      throw Error(ErrorCode::limit, "objects are nested too deeply", where);
    }
  }
}

/// Every storage and every tensor, also those that no module uses: libtorch makes them all.
void check_tensors(const PickleGraph& graph, const StorageSource& source, TensorRebuilder& rebuilder) {
  std::set<std::tuple<std::string_view, std::int64_t, std::uint8_t>> checked;
  for (const StorageNode& storage : graph.storages()) {
    if (checked.emplace(storage.key, storage.elements, storage.element_bytes).second) (void)source(storage);
  }
  for (const TensorNode& tensor : graph.tensors()) rebuilder.check(tensor);
}

void collect_sources(const TorchArchive& archive, Checkpoint& checkpoint) {
  const std::string folder = archive.root() + "code/";
  std::uint64_t total = 0;
  std::uint64_t positions_total = 0;
  for (const ZipEntry& entry : archive.zip().entries()) {
    if (!entry.name.starts_with(folder)) continue;
    if (entry.name.ends_with(".debug_pkl")) {
      positions_total += entry.size;
      if (positions_total > max_positions) throw Error(ErrorCode::limit, "too many source positions", "code/");
      // Source positions: libtorch unpickles them when it reports an error.
      const PickleRecord positions = archive.run(entry);
      if (!positions.graph.storages().empty()) {
        throw Error(ErrorCode::invalid, "tensors where source positions belong", printable(entry.name));
      }
      check_depth(positions.graph, positions.root, printable(entry.name));
      continue;
    }
    total += entry.size;
    if (total > max_source || checkpoint.code.size() >= max_sources) {
      throw Error(ErrorCode::limit, "the archive has more code than any model of this family", printable(entry.name));
    }
    const EntryBytes bytes = archive.zip().read(entry, max_source);
    checkpoint.code.emplace(entry.name.substr(archive.root().size()), std::string(as_text(bytes.bytes())));
  }
}

std::vector<NamedEntry> constants_of_code(const PickleRecord& constants) {
  std::vector<NamedEntry> entries;
  if (!constants.graph.is(constants.root, NodeKind::tuple)) return entries;
  const auto items = constants.graph.items(constants.root);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (is_tensor_like(constants.graph, items[i])) entries.push_back({"CONSTANTS.c" + std::to_string(i), items[i]});
  }
  return entries;
}

}  // namespace

void read_torchscript_archive(const TorchArchive& archive, const CheckpointLimits& limits, Checkpoint& checkpoint) {
  checkpoint.container = "torchscript";
  checkpoint.form = "torchscript";
  check_records(archive);
  collect_sources(archive, checkpoint);
  const PickleRecord data = archive.run(*archive.find("data.pkl"));
  const PickleRecord constants = archive.run(*archive.find("constants.pkl"));
  check_depth(data.graph, data.root, "data.pkl");
  check_depth(constants.graph, constants.root, "constants.pkl");
  const StorageSource data_source = archive.storages("data/");
  const StorageSource constant_source = archive.storages("constants/");
  TensorRebuilder parameters(data.graph, data_source, archive.big_endian(), limits);
  TensorRebuilder constant_tensors(constants.graph, constant_source, archive.big_endian(), limits);
  check_tensors(data.graph, data_source, parameters);
  check_tensors(constants.graph, constant_source, constant_tensors);
  if (!data.graph.class_name(data.root).starts_with("__torch__.")) {
    throw Error(ErrorCode::invalid, "a TorchScript archive whose data.pkl is not a module");
  }
  list_opaque(data.graph, checkpoint);
  list_opaque(constants.graph, checkpoint);
  const ModuleTree tree = read_script_module(data.graph, data.root, limits);
  if (!tree.entries.empty()) {
    read_entries(data.graph, tree.entries, parameters, limits, checkpoint);
    return;
  }
  const std::vector<NamedEntry> entries = constants_of_code(constants);
  if (entries.empty()) {
    // With a __setstate__ of its own a module's state may be anything: then that is what is wrong with it.
    scan_torchscript_code(checkpoint);
    throw Error(ErrorCode::invalid, "the TorchScript module holds no tensors");
  }
  checkpoint.form = "torchscript_frozen";
  checkpoint.warnings.emplace_back("a frozen TorchScript module: batch norm is folded already, names are lost");
  // All names begin with "CONSTANTS."; that is no prefix of a wrapper.
  read_entries(constants.graph, entries, constant_tensors, limits, checkpoint);
}

}  // namespace bytecnn::exporter
