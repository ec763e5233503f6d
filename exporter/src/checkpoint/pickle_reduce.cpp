/// The few globals whose call has a meaning for a reader of weights. All others stay opaque objects.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "checkpoint/pickle_machine.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

using Arguments = std::span<const NodeId>;

constexpr std::string_view tensor_module = "torch._utils._rebuild_";

std::optional<DType> dtype_of_storage(std::string_view class_name) {
  static constexpr std::array<std::pair<std::string_view, DType>, 10> known{{{"FloatStorage", DType::f32},
                                                                             {"DoubleStorage", DType::f64},
                                                                             {"HalfStorage", DType::f16},
                                                                             {"BFloat16Storage", DType::bf16},
                                                                             {"LongStorage", DType::i64},
                                                                             {"IntStorage", DType::i32},
                                                                             {"ShortStorage", DType::i16},
                                                                             {"CharStorage", DType::i8},
                                                                             {"ByteStorage", DType::u8},
                                                                             {"BoolStorage", DType::boolean}}};
  for (const auto& [name, dtype] : known) {
    if (class_name == name) return dtype;
  }
  return std::nullopt;
}

/// Sizes of types that are not read: where storages follow each other, one must know how long each is.
std::uint8_t other_element_bytes(std::string_view class_name) {
  static constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> known{{{"ComplexFloatStorage", 8},
                                                                                   {"ComplexDoubleStorage", 16},
                                                                                   {"QInt8Storage", 1},
                                                                                   {"QUInt8Storage", 1},
                                                                                   {"QInt32Storage", 4},
                                                                                   {"QUInt4x2Storage", 1},
                                                                                   {"QUInt2x4Storage", 1}}};
  for (const auto& [name, bytes] : known) {
    if (class_name == name) return bytes;
  }
  return 0;
}

std::optional<DType> dtype_of_name(std::string_view torch_dtype) {
  if (!torch_dtype.starts_with("torch.")) return std::nullopt;
  const std::string_view name = torch_dtype.substr(6);
  static constexpr std::array all{DType::f16, DType::bf16, DType::f32, DType::f64, DType::i8,
                                  DType::i16, DType::i32,  DType::i64, DType::u8,  DType::boolean};
  for (const DType dtype : all) {
    if (name == to_string(dtype)) return dtype;
  }
  return std::nullopt;
}

std::int64_t integer(const PickleGraph& graph, NodeId id, const char* what) {
  if (!graph.is(id, NodeKind::integer)) {
    throw Error(ErrorCode::invalid, std::string("a tensor's ") + what + " is not a 64-bit integer");
  }
  return graph.integer(id);
}

std::size_t dimensions(const PickleGraph& graph, NodeId id, const char* what, const CheckpointLimits& limits,
                       std::array<std::int64_t, TensorNode::most_dimensions>& to) {
  if (!graph.is(id, NodeKind::tuple) && !graph.is(id, NodeKind::list)) {
    throw Error(ErrorCode::invalid, std::string("a tensor's ") + what + " is not a tuple");
  }
  const Arguments items = graph.items(id);
  if (items.size() > std::min(limits.max_rank, to.size())) {
    throw Error(ErrorCode::limit, "a tensor has too many dimensions", {},
                "at most " + std::to_string(std::min(limits.max_rank, to.size())), std::to_string(items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) to[i] = integer(graph, items[i], what);
  return items.size();
}

NodeId unreadable(PickleGraph& graph, std::string reason) {
  return graph.make_owned_text(NodeKind::unreadable, std::move(reason));
}

/// True where the tensor's metadata says that its elements stand for their negatives or conjugates.
bool lazily_changed(const PickleGraph& graph, Arguments arguments, std::size_t metadata) {
  if (arguments.size() <= metadata || !graph.is(arguments[metadata], NodeKind::dict)) return false;
  const Arguments pairs = graph.items(arguments[metadata]);
  for (const char* key : {"neg", "conj"}) {
    const NodeId value = graph.lookup(pairs, key);
    if (graph.is(value, NodeKind::boolean) && graph.boolean(value)) return true;
  }
  return false;
}

/// _rebuild_tensor(storage, offset, size, stride), _v2(..., requires_grad, hooks[, metadata]),
/// _v3(..., requires_grad, hooks, dtype[, metadata]).
NodeId rebuild_tensor(PickleGraph& graph, Arguments arguments, bool states_dtype, const CheckpointLimits& limits) {
  if (arguments.size() < 4 || (states_dtype && arguments.size() < 7)) {
    throw Error(ErrorCode::invalid, "a tensor is rebuilt out of too few values", {}, states_dtype ? "7" : "4",
                std::to_string(arguments.size()));
  }
  if (!graph.is(arguments[0], NodeKind::storage)) {
    throw Error(ErrorCode::invalid, "a tensor is rebuilt out of something that is not a storage");
  }
  TensorNode tensor;
  tensor.storage = graph.storage_index(arguments[0]);
  tensor.offset = integer(graph, arguments[1], "storage offset");
  const std::size_t rank = dimensions(graph, arguments[2], "size", limits, tensor.sizes);
  const std::size_t strides = dimensions(graph, arguments[3], "stride", limits, tensor.strides);
  if (rank != strides) {
    throw Error(ErrorCode::invalid, "a tensor has sizes and strides of different number", {}, std::to_string(rank),
                std::to_string(strides));
  }
  tensor.rank = static_cast<std::uint8_t>(rank);
  const StorageNode& storage = graph.storage(arguments[0]);
  if (states_dtype) {
    const NodeId type = arguments[6];
    const std::string_view name = graph.is(type, NodeKind::global) ? graph.text(type) : std::string_view("?");
    const auto dtype = dtype_of_name(name);
    if (!dtype) return unreadable(graph, "its type " + printable(name) + " is not a plain number");
    tensor.dtype = *dtype;
  } else if (!storage.known_dtype) {
    return unreadable(graph, "its type " + printable(storage.class_name) + " is not a plain number");
  } else {
    tensor.dtype = storage.dtype;
  }
  if (lazily_changed(graph, arguments, states_dtype ? 7 : 6)) {
    return unreadable(graph, "it is a lazy negative or conjugate; call .resolve_neg() or .clone() before saving");
  }
  if (storage.location == "meta") return unreadable(graph, "it is a meta tensor: the file holds no data for it");
  return graph.make_tensor(tensor);
}

NodeId rebuild_parameter(PickleGraph& graph, Arguments arguments) {
  if (arguments.empty()) throw Error(ErrorCode::invalid, "a parameter without data");
  const NodeId data = arguments[0];
  if (graph.is(data, NodeKind::unreadable)) return data;
  if (!graph.is(data, NodeKind::tensor)) {
    return unreadable(graph, "it is a parameter whose data is not a plain tensor");
  }
  TensorNode parameter = graph.tensor(data);
  parameter.parameter = true;
  return graph.make_tensor(parameter);
}

/// Kinds of tensors that exist, and that no weight of a byte CNN is.
NodeId other_tensor(PickleGraph& graph, std::string_view function) {
  const std::string_view kind = function.substr(tensor_module.size());
  std::string reason = "it is ";
  if (kind.starts_with("qtensor")) {
    reason += "a quantised tensor; export the float model instead";
  } else if (kind.starts_with("sparse")) {
    reason += "a sparse tensor; call .to_dense() before saving";
  } else if (kind.starts_with("meta")) {
    reason += "a meta tensor: the file holds no data for it";
  } else if (kind.starts_with("nested")) {
    reason += "a nested tensor";
  } else {
    reason += "a tensor of a special kind (" + printable(kind) + ")";
  }
  return unreadable(graph, std::move(reason));
}

NodeId ordered_dict(PickleGraph& graph, Arguments arguments) {
  const NodeId dict = graph.make(NodeKind::dict);
  if (arguments.empty()) return dict;
  // Python 2 and protocol-0 style: one list of pairs.
  if (graph.is(arguments[0], NodeKind::dict)) {
    graph.append(dict, graph.items(arguments[0]));
    return dict;
  }
  if (!graph.is(arguments[0], NodeKind::list) && !graph.is(arguments[0], NodeKind::tuple)) {
    throw Error(ErrorCode::invalid, "an OrderedDict out of something that is not a list");
  }
  const Arguments pairs = graph.items(arguments[0]);
  for (const NodeId pair : pairs) {
    const bool sequence = graph.is(pair, NodeKind::list) || graph.is(pair, NodeKind::tuple);
    if (!sequence || graph.items(pair).size() != 2) {
      throw Error(ErrorCode::invalid, "an OrderedDict with an item that is not a pair");
    }
    graph.append(dict, graph.items(pair));
  }
  return dict;
}

NodeId make_set(PickleGraph& graph, Arguments arguments) {
  const NodeId set = graph.make(NodeKind::set);
  if (!arguments.empty() && (graph.is(arguments[0], NodeKind::list) || graph.is(arguments[0], NodeKind::tuple))) {
    graph.append(set, graph.items(arguments[0]));
  }
  return set;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

NodeId reduce(PickleGraph& graph, NodeId callable, NodeId arguments_id, const CheckpointLimits& limits) {
  if (!graph.is(arguments_id, NodeKind::tuple)) {
    throw Error(ErrorCode::syntax, "the pickle calls something without a tuple of arguments");
  }
  // Tensors with Python attributes are wrapped: _rebuild_from_type_v2(function, type, arguments, state). The wrapping
  // is not nested in real files, so neither is it followed here.
  for (int wrapped = 0; wrapped < 2 && graph.is(callable, NodeKind::global); ++wrapped) {
    const std::string_view name = graph.text(callable);
    const Arguments arguments = graph.items(arguments_id);
    const bool v2 = is_one_of(name, {"torch._tensor._rebuild_from_type_v2", "torch.tensor._rebuild_from_type_v2"});
    const bool v1 = is_one_of(name, {"torch._tensor._rebuild_from_type", "torch.tensor._rebuild_from_type"});
    if (!(v1 || v2) || arguments.size() < 3 || !graph.is(arguments[2], NodeKind::tuple)) break;
    callable = arguments[0];
    arguments_id = arguments[2];
  }
  if (!graph.is(callable, NodeKind::global)) return graph.make_object(callable, arguments_id);

  const std::string_view name = graph.text(callable);
  const Arguments arguments = graph.items(arguments_id);
  if (name == "collections.OrderedDict") return ordered_dict(graph, arguments);
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor") {
    return rebuild_tensor(graph, arguments, false, limits);
  }
  if (name == "torch._utils._rebuild_tensor_v3") return rebuild_tensor(graph, arguments, true, limits);
  if (name == "torch._utils._rebuild_parameter" || name == "torch._utils._rebuild_parameter_with_state") {
    return rebuild_parameter(graph, arguments);
  }
  // Tensors of XLA and other devices travel as a tensor (or an array) of the host.
  if (is_one_of(name, {"torch._utils._rebuild_device_tensor_from_cpu_tensor",
                       "torch._utils._rebuild_device_tensor_from_numpy", "torch._utils._rebuild_xla_tensor"}) &&
      !arguments.empty()) {
    return arguments[0];
  }
  if (name.starts_with(tensor_module)) return other_tensor(graph, name);
  if (name == "torch.Size") {
    const bool one =
        arguments.size() == 1 && (graph.is(arguments[0], NodeKind::tuple) || graph.is(arguments[0], NodeKind::list));
    return one ? arguments[0] : arguments_id;
  }
  if (is_one_of(name, {"__builtin__.set", "builtins.set", "__builtin__.frozenset", "builtins.frozenset"})) {
    return make_set(graph, arguments);
  }
  // TorchScript annotates its containers with their types.
  if (name.starts_with("torch.jit._pickle.") && !arguments.empty()) return arguments[0];
  return graph.make_object(callable, arguments_id);
}

NodeId persistent_object(PickleGraph& graph, NodeId id) {
  const auto invalid = [](const char* why) { return Error(ErrorCode::invalid, why); };
  if (!graph.is(id, NodeKind::tuple) || graph.items(id).empty() || !graph.is(graph.items(id)[0], NodeKind::text)) {
    throw invalid("a persistent id that torch.save does not write");
  }
  const Arguments parts = graph.items(id);
  const std::string_view tag = graph.text(parts[0]);
  // The oldest files keep a module's class with its source: ("module", class, file, source). The source is not read.
  if (tag == "module" && parts.size() >= 2) return parts[1];
  if (tag != "storage" || parts.size() < 5) {
    throw Error(ErrorCode::invalid, "unknown persistent id '" + printable(tag) + "'");
  }
  if (!graph.is(parts[1], NodeKind::global)) throw invalid("a storage without a type");
  StorageNode storage;
  storage.class_name = graph.text(parts[1]);
  const std::size_t dot = storage.class_name.rfind('.');
  const std::string_view type = storage.class_name.substr(dot + 1);
  storage.untyped = type == "UntypedStorage" || type == "_UntypedStorage";
  const auto dtype = storage.untyped ? std::optional(DType::u8) : dtype_of_storage(type);
  storage.known_dtype = dtype.has_value();
  if (dtype) storage.dtype = *dtype;
  storage.element_bytes = dtype ? static_cast<std::uint8_t>(element_size(*dtype)) : other_element_bytes(type);

  std::string key;
  if (graph.is(parts[2], NodeKind::text)) {
    key = graph.text(parts[2]);
  } else if (graph.is(parts[2], NodeKind::integer)) {
    key = std::to_string(graph.integer(parts[2]));
  }
  const bool plain = !key.empty() && key.size() <= 64 && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
  if (!plain) throw Error(ErrorCode::invalid, "a storage's key is not a plain name: '" + printable(key) + "'");
  storage.key = graph.text(graph.is(parts[2], NodeKind::text) ? parts[2] : graph.make_owned_text(NodeKind::text, key));
  if (graph.is(parts[3], NodeKind::text)) storage.location = graph.text(parts[3]);
  storage.elements = integer(graph, parts[4], "storage size");
  if (storage.elements < 0) throw invalid("a storage of negative size");
  // Oldest files: (root key, offset, size) where the storage is a window of another one.
  if (parts.size() > 5 && graph.is(parts[5], NodeKind::tuple) && graph.items(parts[5]).size() == 3) {
    const Arguments view = graph.items(parts[5]);
    storage.view_offset = integer(graph, view[1], "view offset");
    storage.view_size = integer(graph, view[2], "view size");
    if (storage.view_offset < 0 || storage.view_size < 0) throw invalid("a storage view of negative size or offset");
  }
  return graph.make_storage(storage);
}

}  // namespace bytecnn::exporter
