#pragma once
/// The arguments of one graph node by the names of its operator's schema, as constants.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/ir/ir.h>

namespace bytecnn::exporter {

/// This node cannot be expressed; `what()` says why. It matters only where the logits depend on the node.
class Inexpressible : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class NodeArguments {
 public:
  explicit NodeArguments(const torch::jit::Node& node);

  /// The operator's name, e.g. "aten::conv1d".
  [[nodiscard]] std::string_view name() const noexcept { return name_; }
  [[nodiscard]] const torch::jit::Node& node() const noexcept { return node_; }

  /// The graph value of an argument, or null where the operator has no such argument.
  [[nodiscard]] const torch::jit::Value* value(std::string_view argument) const;
  /// Absent and None are both "no value" below. All throw `Inexpressible` where the argument is not a constant of that
  /// kind.
  [[nodiscard]] std::optional<at::Tensor> tensor(std::string_view argument) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view argument) const;
  [[nodiscard]] std::optional<double> number(std::string_view argument) const;
  [[nodiscard]] std::optional<bool> boolean(std::string_view argument) const;
  [[nodiscard]] std::optional<std::string> string(std::string_view argument) const;
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::string_view argument) const;

 private:
  [[nodiscard]] std::optional<c10::IValue> constant(std::string_view argument) const;
  [[noreturn]] void not_a(std::string_view kind, std::string_view argument) const;

  const torch::jit::Node& node_;
  std::string name_;
};

/// A number, be it a scalar or a tensor of one element without dimensions; nothing where `value` is no such constant.
[[nodiscard]] std::optional<double> constant_number(const torch::jit::Value* value);

/// A list of integers, be it a constant or a list built of constants. Elements that are not constant come out as
/// `unknown_element`.
inline constexpr std::int64_t unknown_element = INT64_MIN;
[[nodiscard]] std::optional<std::vector<std::int64_t>> constant_integers(const torch::jit::Value* value);

}  // namespace bytecnn::exporter
