#include "torch/node_arguments.hpp"

#include <algorithm>

#include <torch/csrc/jit/ir/constants.h>

namespace bytecnn::exporter {

namespace jit = torch::jit;

NodeArguments::NodeArguments(const jit::Node& node) : node_(node), name_(node.kind().toQualString()) {}

void NodeArguments::not_a(std::string_view kind, std::string_view argument) const {
  throw Inexpressible(name_ + ": its argument '" + std::string(argument) + "' is not " + std::string(kind) +
                      " that the file states");
}

const jit::Value* NodeArguments::value(std::string_view argument) const {
  const auto* schema = node_.maybeSchema();
  if (schema == nullptr) return nullptr;
  const auto& arguments = schema->arguments();
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const c10::Argument& candidate) { return candidate.name() == argument; });
  const auto index = static_cast<std::size_t>(found - arguments.begin());
  return found == arguments.end() || index >= node_.inputs().size() ? nullptr : node_.inputs()[index];
}

std::optional<c10::IValue> NodeArguments::constant(std::string_view argument) const {
  const jit::Value* given = value(argument);
  if (given == nullptr) return std::nullopt;
  const auto constant = jit::toIValue(given);
  if (!constant) not_a("a constant", argument);
  if (constant->isNone()) return std::nullopt;
  return *constant;
}

std::optional<at::Tensor> NodeArguments::tensor(std::string_view argument) const {
  const auto given = constant(argument);
  if (!given) return std::nullopt;
  if (!given->isTensor()) not_a("a tensor", argument);
  const at::Tensor& tensor = given->toTensor();
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || !tensor.is_floating_point() || !tensor.is_cpu()) {
    not_a("a dense floating-point tensor", argument);
  }
  return tensor;
}

std::optional<std::int64_t> NodeArguments::integer(std::string_view argument) const {
  const auto given = constant(argument);
  if (!given) return std::nullopt;
  if (!given->isInt()) not_a("a whole number", argument);
  return given->toInt();
}

std::optional<double> NodeArguments::number(std::string_view argument) const {
  const jit::Value* given = value(argument);
  if (given == nullptr) return std::nullopt;
  if (const auto number = constant_number(given)) return number;
  if (const auto other = jit::toIValue(given); other && other->isNone()) return std::nullopt;
  not_a("a number", argument);
}

std::optional<bool> NodeArguments::boolean(std::string_view argument) const {
  const auto given = constant(argument);
  if (!given) return std::nullopt;
  if (!given->isBool()) not_a("true or false", argument);
  return given->toBool();
}

std::optional<std::string> NodeArguments::string(std::string_view argument) const {
  const auto given = constant(argument);
  if (!given) return std::nullopt;
  if (!given->isString()) not_a("a string", argument);
  return given->toStringRef();
}

std::optional<std::vector<std::int64_t>> NodeArguments::integers(std::string_view argument) const {
  const jit::Value* given = value(argument);
  if (given == nullptr) return std::nullopt;
  if (const auto other = jit::toIValue(given); other && other->isNone()) return std::nullopt;
  auto list = constant_integers(given);
  if (!list || std::find(list->begin(), list->end(), unknown_element) != list->end()) {
    not_a("a list of whole numbers", argument);
  }
  return list;
}

std::optional<double> constant_number(const jit::Value* value) {
  const auto given = jit::toIValue(value);
  if (!given) return std::nullopt;
  if (given->isDouble()) return given->toDouble();
  if (given->isInt()) return static_cast<double>(given->toInt());
  if (given->isTensor() && given->toTensor().defined() && given->toTensor().dim() == 0 &&
      !given->toTensor().is_complex()) {
    return given->toTensor().item().toDouble();
  }
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> constant_integers(const jit::Value* value) {
  if (const auto given = jit::toIValue(value)) {
    if (given->isIntList()) return given->toIntVector();
    if (given->isInt()) return std::vector<std::int64_t>{given->toInt()};
    return std::nullopt;
  }
  if (value->node()->kind() != c10::prim::ListConstruct) return std::nullopt;
  std::vector<std::int64_t> list;
  for (const jit::Value* element : value->node()->inputs()) {
    const auto given = jit::toIValue(element);
    list.push_back(given && given->isInt() ? given->toInt() : unknown_element);
  }
  return list;
}

}  // namespace bytecnn::exporter
