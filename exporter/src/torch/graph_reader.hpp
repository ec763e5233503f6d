#pragma once
/// Reads a frozen TorchScript graph into `Expression`s, forward along the dataflow. It knows operators; what they add
/// up to is decided in structure_matcher.hpp.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include "torch/graph_expression.hpp"
#include "torch/node_arguments.hpp"

namespace bytecnn::exporter {

/// A step of the dataflow as one graph value shows it.
struct Operand {
  const Expression* expression = nullptr;
  Layout layout = Layout::tokens;
};

class GraphReader {
 public:
  /// Reads all of `graph`, whose input `tokens` is. Nodes that cannot be expressed are remembered with the reason.
  GraphReader(torch::jit::Graph& graph, torch::jit::Value* tokens);

  /// What a graph value is. Throws `Inexpressible` with the reason of the first node that stands in the way.
  [[nodiscard]] Operand at(const torch::jit::Value* value) const;

  /// Casts to float on the way (`x.float()`): they do nothing in the type the file was written in, but would throw away
  /// precision in a run in double.
  [[nodiscard]] const std::vector<torch::jit::Node*>& float_casts() const noexcept { return float_casts_; }

 private:
  using Handler = void (GraphReader::*)(const NodeArguments&);
  [[nodiscard]] static Handler handler_of(std::string_view name);

  void read(torch::jit::Block& block, int depth);
  void read_node(torch::jit::Node& node, int depth);
  void read_branch(torch::jit::Node& node, int depth);

  // Layers (graph_reader.cpp). Every handler gives the node's first output its meaning, or throws `Inexpressible`.
  void embedding(const NodeArguments& arguments);
  void conv(const NodeArguments& arguments);
  void pad(const NodeArguments& arguments);
  void batch_norm(const NodeArguments& arguments);
  void linear(const NodeArguments& arguments);
  void dropout(const NodeArguments& arguments);
  // Arithmetic (graph_reader_arithmetic.cpp).
  void activation(const NodeArguments& arguments);
  void clamp(const NodeArguments& arguments);
  void softmax(const NodeArguments& arguments);
  void add(const NodeArguments& arguments);
  void multiply(const NodeArguments& arguments);
  void divide(const NodeArguments& arguments);
  void square_root(const NodeArguments& arguments);
  // Pooling and shapes (graph_reader_shapes.cpp).
  void reduce(const NodeArguments& arguments);
  void variance(const NodeArguments& arguments);
  void adaptive_pool(const NodeArguments& arguments);
  void pool_over_length(const NodeArguments& arguments);
  void concat(const NodeArguments& arguments);
  void stack(const NodeArguments& arguments);
  void reduce_stack(const NodeArguments& arguments, const Expression& stack);
  void pass(const NodeArguments& arguments);
  void cast(const NodeArguments& arguments);
  void transpose(const NodeArguments& arguments);
  void swap_last_axes(const NodeArguments& arguments);
  void permute(const NodeArguments& arguments);
  void squeeze(const NodeArguments& arguments);
  void flatten(const NodeArguments& arguments);
  void view(const NodeArguments& arguments);
  void select(const NodeArguments& arguments);
  void slice(const NodeArguments& arguments);

  [[nodiscard]] Operand operand(const NodeArguments& arguments, std::string_view argument) const;
  /// The operand, which must have one of the layouts.
  [[nodiscard]] Operand operand(const NodeArguments& arguments, std::string_view argument,
                                std::initializer_list<Layout> layouts) const;
  /// The elements of the argument `tensors`, a list; at least one.
  [[nodiscard]] std::vector<Operand> operands(const NodeArguments& arguments) const;
  [[nodiscard]] bool is_expression(const torch::jit::Value* value) const;
  /// The layout after a reduction of `of` over the axis `dim`, which must be that of the positions.
  [[nodiscard]] Layout reduced(const NodeArguments& arguments, const Operand& of, std::int64_t dim, bool keep) const;
  /// Whether `value` is the number of positions of `of`, as the size of one of its axes.
  [[nodiscard]] bool counts_positions(const torch::jit::Value* value, const Expression& of) const;

  /// A new step, with the width of its first input, as the meaning of the node's first output.
  Expression& make(Op op, Layout layout, std::vector<const Expression*> inputs, const NodeArguments& arguments);
  /// The node changes nothing but, perhaps, the layout.
  void same(const Operand& operand, Layout layout, const NodeArguments& arguments);

  std::deque<Expression> expressions_;  ///< a deque, so that pointers stay valid
  std::unordered_map<const torch::jit::Value*, Operand> known_;
  std::unordered_map<const torch::jit::Value*, std::string> unknown_;
  std::vector<torch::jit::Node*> float_casts_;
};

}  // namespace bytecnn::exporter
