#include "checkpoint/plain_value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

#include "checkpoint/numpy_array.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t longest_text = 200;
constexpr std::size_t most_items = 16;
constexpr int deepest_list = 2;

std::string readable(std::string_view text) {
  return is_clean_utf8(text) ? std::string(text) : printable(text, longest_text);
}

/// torch.relu and its like are pickled as getattr(torch._C._VariableFunctionsClass, 'relu').
std::string function_of_torch(const PickleGraph& graph, NodeId id) {
  const std::string_view callable = graph.class_name(id);
  if (callable != "__builtin__.getattr" && callable != "builtins.getattr") return {};
  const NodeId arguments = graph.object(id).arguments;
  if (!graph.is(arguments, NodeKind::tuple) || graph.items(arguments).size() != 2) return {};
  const NodeId owner = graph.items(arguments)[0];
  const NodeId name = graph.items(arguments)[1];
  const bool known = graph.is(owner, NodeKind::global) && graph.is(name, NodeKind::text) &&
                     graph.text(owner).starts_with("torch._C._VariableFunctions");
  return known ? "torch." + printable(graph.text(name), longest_text) : std::string{};
}

std::string object(const PickleGraph& graph, NodeId id) {
  std::string scalar = numpy_scalar_text(graph, id);
  return scalar.empty() ? function_of_torch(graph, id) : scalar;
}

std::string scalar(const PickleGraph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case NodeKind::none:
      return "None";
    case NodeKind::boolean:
      return graph.boolean(id) ? "True" : "False";
    case NodeKind::integer:
      return std::to_string(graph.integer(id));
    case NodeKind::real:
      return python_float(graph.real(id));
    case NodeKind::global:
      return printable(graph.text(id), longest_text);
    case NodeKind::object:
      return object(graph, id);
    default:
      return {};
  }
}

/// Empty where an item is none of the plain kinds.
std::string sequence(const PickleGraph& graph, NodeId id, int depth) {
  const bool tuple = graph.is(id, NodeKind::tuple);
  const auto items = graph.items(id);
  if (items.size() > most_items || depth > deepest_list) return {};
  std::string text(1, tuple ? '(' : '[');
  for (const NodeId item : items) {
    if (text.size() > 1) text += ", ";
    std::string one;
    if (graph.is(item, NodeKind::text)) {
      if (graph.text(item).size() > longest_text) return {};
      one = '\'';
      one += readable(graph.text(item));
      one += '\'';
    } else if (graph.is(item, NodeKind::tuple) || graph.is(item, NodeKind::list)) {
      one = sequence(graph, item, depth + 1);
    } else {
      one = scalar(graph, item);
    }
    if (one.empty()) return {};
    text += one;
    if (text.size() > 4 * longest_text) return {};
  }
  if (tuple && items.size() == 1) text += ',';
  return text + (tuple ? ')' : ']');
}

}  // namespace

std::string python_float(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  if (fixed && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string plain_value(const PickleGraph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case NodeKind::text: {
      const std::string_view text = graph.text(id);
      return text.size() > longest_text ? std::string{} : readable(text);
    }
    case NodeKind::tuple:
    case NodeKind::list:
      return sequence(graph, id, 0);
    default:
      return scalar(graph, id);
  }
}

}  // namespace bytecnn::exporter
