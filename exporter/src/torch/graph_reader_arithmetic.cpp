#include <string>
#include <utility>

#include "torch/graph_reader.hpp"

namespace bytecnn::exporter {

namespace jit = torch::jit;

namespace {

std::string plain_name(const NodeArguments& arguments) {
  std::string name(arguments.name());
  if (name.ends_with('_')) name.pop_back();
  return name;
}

}  // namespace

void GraphReader::activation(const NodeArguments& arguments) {
  const Operand input = operand(arguments, arguments.value("self") == nullptr ? "input" : "self",
                                {Layout::rows, Layout::columns, Layout::kept, Layout::features, Layout::flat});
  const std::string name = plain_name(arguments);
  Activation found;
  if (name == "aten::relu") {
    found.kind = Activation::Kind::relu;
  } else if (name == "aten::leaky_relu") {
    found.kind = Activation::Kind::leaky_relu;
    found.slope = static_cast<float>(arguments.number("negative_slope").value_or(0.01));
  } else if (name == "aten::gelu") {
    found.kind = Activation::Kind::gelu;
    if (const auto form = arguments.string("approximate"); form && *form != "none") {
      throw Inexpressible("aten::gelu: the approximation by " + *form + "; only the erf form can be run");
    }
  } else if (name == "aten::silu") {
    found.kind = Activation::Kind::silu;
  } else if (name == "aten::tanh") {
    found.kind = Activation::Kind::tanh;
  } else {
    found.kind = Activation::Kind::sigmoid;
  }
  make(Op::activation, input.layout, {input.expression}, arguments).activation = found;
}

/// clamp(x, min=0) is another spelling of relu.
void GraphReader::clamp(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::columns, Layout::features, Layout::flat});
  if (arguments.number("min") != 0.0 || arguments.number("max")) {
    throw Inexpressible(std::string(arguments.name()) + ": limits that are not those of a relu");
  }
  make(Op::activation, input.layout, {input.expression}, arguments).activation.kind = Activation::Kind::relu;
}

void GraphReader::softmax(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::features, Layout::flat});
  const auto dim = arguments.integer("dim").value_or(-1);
  if (dim != -1 && dim != (input.layout == Layout::features ? 1 : 0)) {
    throw Inexpressible(std::string(arguments.name()) + ": not over the outputs");
  }
  make(Op::softmax, input.layout, {input.expression}, arguments);
}

void GraphReader::add(const NodeArguments& arguments) {
  const jit::Value* left = arguments.value("self");
  const jit::Value* right = arguments.value("other");
  if (left == nullptr || right == nullptr) {
    throw Inexpressible(std::string(arguments.name()) + ": this form of the operator is not understood");
  }
  if (arguments.number("alpha").value_or(1) != 1) throw Inexpressible("aten::add: with a factor alpha");

  const bool left_is_constant = jit::toIValue(left).has_value();
  if (!left_is_constant && !jit::toIValue(right).has_value()) {
    const Operand a = at(left);
    const Operand b = at(right);
    if (a.layout != b.layout || a.layout == Layout::tokens) {
      throw Inexpressible("aten::add: of values with different axes");
    }
    if (a.expression->width != b.expression->width) throw Inexpressible("aten::add: of different numbers of channels");
    make(Op::add, a.layout, {a.expression, b.expression}, arguments);
    return;
  }

  if (left_is_constant) std::swap(left, right);
  const Operand input = at(left);
  if (const auto number = constant_number(right)) {
    if (input.layout == Layout::tokens) throw Inexpressible("aten::add: shifts the bytes before the embedding");
    make(Op::add_constant, input.layout, {input.expression}, arguments).number = *number;
    return;
  }
  // matmul(x, w') + b is a linear layer in two steps.
  const auto constant = jit::toIValue(right);
  const Expression& before = *input.expression;
  if (before.op == Op::linear && !before.bias.defined() && constant->isTensor() && constant->toTensor().dim() == 1 &&
      constant->toTensor().numel() == before.width && constant->toTensor().is_floating_point()) {
    auto& made = make(Op::linear, input.layout, before.inputs, arguments);
    made.weight = before.weight;
    made.bias = constant->toTensor();
    made.width = before.width;
    return;
  }
  throw Inexpressible("aten::add: adds a table of weights (positional embeddings?), which no part of a byte CNN does");
}

void GraphReader::multiply(const NodeArguments& arguments) {
  const jit::Value* left = arguments.value("self");
  const jit::Value* right = arguments.value("other");
  if (left == nullptr || right == nullptr) {
    throw Inexpressible(std::string(arguments.name()) + ": this form of the operator is not understood");
  }
  if (constant_number(left)) std::swap(left, right);
  const Operand input = at(left);
  if (input.layout == Layout::tokens) throw Inexpressible("aten::mul: of the bytes before the embedding");
  if (const auto factor = constant_number(right)) {
    make(Op::scale, input.layout, {input.expression}, arguments).number = *factor;
    return;
  }
  // x * sigmoid(x) is silu.
  const auto gate_of = [](const Operand& gate, const Operand& value) {
    return gate.expression->op == Op::activation && gate.expression->activation.kind == Activation::Kind::sigmoid &&
           &gate.expression->input() == value.expression && gate.layout == value.layout;
  };
  if (is_expression(right)) {
    const Operand other = at(right);
    const bool right_gates = gate_of(other, input);
    if (right_gates || gate_of(input, other)) {
      const Operand& value = right_gates ? input : other;
      make(Op::activation, value.layout, {value.expression}, arguments).activation.kind = Activation::Kind::silu;
      return;
    }
  }
  throw Inexpressible(std::string(arguments.name()) + ": only factors that are numbers can be run");
}

void GraphReader::divide(const NodeArguments& arguments) {
  const Operand input =
      operand(arguments, "self", {Layout::rows, Layout::columns, Layout::kept, Layout::features, Layout::flat});
  const jit::Value* right = arguments.value("other");
  if (input.expression->op == Op::sum && right != nullptr && counts_positions(right, input.expression->input())) {
    make(Op::average, input.layout, {&input.expression->input()}, arguments);
    return;
  }
  const auto divisor = right == nullptr ? std::nullopt : constant_number(right);
  if (!divisor || *divisor == 0) {
    throw Inexpressible(std::string(arguments.name()) + ": only divisors that are numbers can be run");
  }
  if (arguments.string("rounding_mode")) throw Inexpressible(std::string(arguments.name()) + ": with rounding");
  make(Op::scale, input.layout, {input.expression}, arguments).number = 1 / *divisor;
}

void GraphReader::square_root(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::kept, Layout::features, Layout::flat});
  if (plain_name(arguments) == "aten::pow" && arguments.number("exponent") != 0.5) {
    throw Inexpressible("aten::pow: only square roots (exponent 0.5) can be run");
  }
  make(Op::square_root, input.layout, {input.expression}, arguments);
}

}  // namespace bytecnn::exporter
