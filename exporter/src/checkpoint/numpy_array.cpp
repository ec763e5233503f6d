#include "checkpoint/numpy_array.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "checkpoint/plain_value.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

/// "numpy.core.multiarray._reconstruct" -> "multiarray._reconstruct"; empty where it is not NumPy's.
std::string_view numpy_function(std::string_view name) {
  for (const std::string_view package : {"numpy.core.", "numpy._core."}) {
    if (name.starts_with(package)) return name.substr(package.size());
  }
  return {};
}

struct ArrayType {
  std::optional<DType> dtype;
  bool big_endian = false;
  std::string name;
};

struct ArrayParts {
  NodeId shape = 0, type = 0, data = 0;
  bool fortran = false;
};

std::span<const NodeId> tuple_items(const PickleGraph& graph, NodeId id) {
  return graph.is(id, NodeKind::tuple) ? graph.items(id) : std::span<const NodeId>{};
}

std::optional<ArrayParts> array_parts(const PickleGraph& graph, NodeId id) {
  const std::string_view function = numpy_function(graph.class_name(id));
  if (function == "multiarray._reconstruct") {
    auto state = tuple_items(graph, graph.object(id).state);
    if (state.size() == 5) state = state.subspan(1);  // a version number comes first since NumPy 1.0
    if (state.size() != 4) return std::nullopt;
    const bool fortran = graph.is(state[2], NodeKind::boolean) && graph.boolean(state[2]);
    return ArrayParts{state[0], state[1], state[3], fortran};
  }
  if (function == "numeric._frombuffer") {
    const auto arguments = tuple_items(graph, graph.object(id).arguments);
    if (arguments.size() < 3) return std::nullopt;
    const bool fortran =
        arguments.size() > 3 && graph.is(arguments[3], NodeKind::text) && graph.text(arguments[3]) == "F";
    return ArrayParts{arguments[2], arguments[1], arguments[0], fortran};
  }
  return std::nullopt;
}

ArrayType array_type(const PickleGraph& graph, NodeId id) {
  ArrayType type;
  if (graph.class_name(id) != "numpy.dtype") return type;
  const ObjectNode& object = graph.object(id);
  const auto arguments = tuple_items(graph, object.arguments);
  if (arguments.empty() || !graph.is(arguments[0], NodeKind::text)) return type;
  std::string_view code = graph.text(arguments[0]);
  type.name = printable(code, 20);
  const auto is_order = [](char c) { return c == '<' || c == '>' || c == '|' || c == '='; };
  if (!code.empty() && is_order(code.front())) {
    type.big_endian = code.front() == '>';
    code.remove_prefix(1);
  }
  const auto state = tuple_items(graph, object.state);
  if (state.size() >= 2 && graph.is(state[1], NodeKind::text)) type.big_endian = graph.text(state[1]) == ">";
  static constexpr std::pair<std::string_view, DType> known[] = {
      {"f2", DType::f16}, {"f4", DType::f32}, {"f8", DType::f64}, {"i1", DType::i8},     {"i2", DType::i16},
      {"i4", DType::i32}, {"i8", DType::i64}, {"u1", DType::u8},  {"b1", DType::boolean}};
  for (const auto& [name, dtype] : known) {
    if (code == name) type.dtype = dtype;
  }
  return type;
}

/// Raw bytes, or text that was written as latin-1 code points (protocol 2 has no bytes).
std::optional<std::vector<std::byte>> array_bytes(const PickleGraph& graph, NodeId id, std::size_t expected) {
  std::string_view text;
  bool latin1 = false;
  if (graph.is(id, NodeKind::bytes)) {
    text = graph.text(id);
  } else if (graph.is(id, NodeKind::text)) {
    text = graph.text(id);  // Python 2's str: raw bytes, unless Python 3 wrote it
    latin1 = text.size() != expected;
  } else if (graph.class_name(id) == "_codecs.encode" || graph.class_name(id) == "builtins.bytearray" ||
             graph.class_name(id) == "__builtin__.bytearray") {
    const auto arguments = tuple_items(graph, graph.object(id).arguments);
    if (arguments.empty()) return std::vector<std::byte>{};
    if (graph.is(arguments[0], NodeKind::bytes)) {
      text = graph.text(arguments[0]);
    } else if (graph.is(arguments[0], NodeKind::text)) {
      text = graph.text(arguments[0]);
      latin1 = true;
    } else {
      return std::nullopt;
    }
  } else if (graph.class_name(id) == "__builtin__.bytes" || graph.class_name(id) == "builtins.bytes") {
    return std::vector<std::byte>{};  // protocol 2 spells b"" as bytes()
  } else {
    return std::nullopt;
  }
  if (text.size() < expected) return std::nullopt;
  std::vector<std::byte> bytes;
  bytes.reserve(expected);
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto value = static_cast<unsigned char>(text[i]);
    if (latin1 && value >= 0x80) {
      // U+0080 to U+00FF are two bytes in UTF-8: 110000xx 10xxxxxx.
      if ((value & 0xfeU) != 0xc2 || i + 1 >= text.size()) return std::nullopt;
      value = static_cast<unsigned char>((value & 3U) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3fU));
    }
    if (bytes.size() == expected) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(value));
  }
  if (bytes.size() != expected) return std::nullopt;
  return bytes;
}

/// Column-major to row-major.
std::vector<std::byte> transpose(const std::vector<std::byte>& from, const std::vector<std::int64_t>& shape,
                                 std::size_t size) {
  std::vector<std::byte> to(from.size());
  std::vector<std::size_t> index(shape.size(), 0), strides(shape.size(), 1);
  for (std::size_t d = 1; d < shape.size(); ++d) strides[d] = strides[d - 1] * static_cast<std::size_t>(shape[d - 1]);
  std::size_t source = 0;
  for (std::size_t at = 0; at < to.size(); at += size) {
    std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(source * size), size,
                to.begin() + static_cast<std::ptrdiff_t>(at));
    for (std::size_t d = shape.size(); d-- > 0;) {
      source += strides[d];
      if (++index[d] < static_cast<std::size_t>(shape[d])) break;
      source -= strides[d] * static_cast<std::size_t>(shape[d]);
      index[d] = 0;
    }
  }
  return to;
}

void to_native(std::vector<std::byte>& bytes, std::size_t size, bool big_endian) {
  if (size < 2 || big_endian != (std::endian::native == std::endian::little)) return;
  for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
  }
}

}  // namespace

bool is_numpy_array(const PickleGraph& graph, NodeId id) {
  return array_parts(graph, id).has_value();
}

std::size_t numpy_rank(const PickleGraph& graph, NodeId id) {
  const auto parts = array_parts(graph, id);
  return parts ? tuple_items(graph, parts->shape).size() : 0;
}

NamedTensor read_numpy_array(const PickleGraph& graph, NodeId id, std::string name, TensorRebuilder& budget,
                             const CheckpointLimits& limits) {
  NamedTensor result;
  result.name = std::move(name);
  const std::string where = "array '" + printable(result.name) + "'";
  const auto parts = array_parts(graph, id);
  if (!parts) throw Error(ErrorCode::invalid, "not a NumPy array", where);
  const ArrayType type = array_type(graph, parts->type);
  if (!type.dtype) {
    result.unreadable = "it is a NumPy array of type " + (type.name.empty() ? "unknown" : type.name);
    return result;
  }
  result.tensor.dtype = *type.dtype;
  const auto shape = tuple_items(graph, parts->shape);
  if (shape.size() > limits.max_rank) throw Error(ErrorCode::limit, "too many dimensions", where);
  std::int64_t elements = 1;
  for (const NodeId size : shape) {
    if (!graph.is(size, NodeKind::integer) || graph.integer(size) < 0 ||
        !multiply(elements, graph.integer(size), elements)) {
      throw Error(ErrorCode::invalid, "a shape that is not a list of sizes", where);
    }
    result.tensor.shape.push_back(graph.integer(size));
  }
  if (elements > limits.max_elements) throw Error(ErrorCode::limit, "too many elements", where);
  const std::size_t size = element_size(*type.dtype);
  const std::size_t expected = static_cast<std::size_t>(elements) * size;
  // Counted before anything is allocated; the source of the bytes is the pickle, so it cannot be inflated.
  budget.count_array(elements, parts->data, expected);
  auto bytes = array_bytes(graph, parts->data, expected);
  if (!bytes) {
    throw Error(ErrorCode::invalid, "shape and data of the array do not agree", where,
                std::to_string(expected) + " bytes");
  }
  if (parts->fortran && shape.size() > 1) *bytes = transpose(*bytes, result.tensor.shape, size);
  to_native(*bytes, size, type.big_endian);
  result.tensor.data = std::move(*bytes);
  return result;
}

std::string numpy_scalar_text(const PickleGraph& graph, NodeId id) {
  if (numpy_function(graph.class_name(id)) != "multiarray.scalar") return {};
  const auto arguments = tuple_items(graph, graph.object(id).arguments);
  if (arguments.size() != 2) return {};
  const ArrayType type = array_type(graph, arguments[0]);
  if (!type.dtype) return {};
  auto bytes = array_bytes(graph, arguments[1], element_size(*type.dtype));
  if (!bytes) return {};
  to_native(*bytes, bytes->size(), type.big_endian);
  Tensor one{*type.dtype, {}, std::move(*bytes)};
  const double value = one.to_doubles().front();
  if (*type.dtype == DType::boolean) return value != 0 ? "True" : "False";
  return is_floating(*type.dtype) ? python_float(value) : std::to_string(static_cast<std::int64_t>(value));
}

}  // namespace bytecnn::exporter
