#include "torch/graph_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bytecnn::exporter {

namespace jit = torch::jit;

namespace {

/// Branches inside branches: far beyond what a model has, and few enough for the stack.
constexpr int max_depth = 32;

bool raises(const jit::Block& block) {
  const auto nodes = block.nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [](const jit::Node* node) { return node->kind() == c10::prim::RaiseException; });
}

/// In-place operators carry the name of the plain one and an underscore: "aten::relu_".
bool is_in_place(std::string_view name) {
  return name.starts_with("aten::") && name.ends_with('_');
}

std::string join(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const auto number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return "[" + text + "]";
}

/// Sizes beyond this are nonsense, and would overflow what is computed from them.
constexpr std::int64_t largest_size = std::int64_t{1} << 30;

std::int64_t bounded(const NodeArguments& arguments, std::int64_t number) {
  if (number < 0 || number > largest_size) {
    throw Inexpressible(std::string(arguments.name()) + ": " + std::to_string(number) + " is out of range");
  }
  return number;
}

/// One number that a 1-d operator takes as a list of one; `fallback` where it is not stated.
std::int64_t single(const NodeArguments& arguments, std::string_view argument, std::int64_t fallback) {
  const auto list = arguments.integers(argument);
  if (!list || list->empty()) return fallback;
  if (list->size() != 1) {
    throw Inexpressible(std::string(arguments.name()) + ": " + std::string(argument) + " " + join(*list) +
                        " is not that of a one-dimensional convolution");
  }
  return bounded(arguments, list->front());
}

}  // namespace

GraphReader::Handler GraphReader::handler_of(std::string_view name) {
  static const std::unordered_map<std::string_view, Handler> handlers{
      {"aten::embedding", &GraphReader::embedding},
      {"aten::conv1d", &GraphReader::conv},
      {"aten::convolution", &GraphReader::conv},
      {"aten::_convolution", &GraphReader::conv},
      {"aten::_convolution_mode", &GraphReader::conv},
      {"aten::constant_pad_nd", &GraphReader::pad},
      {"aten::pad", &GraphReader::pad},
      {"aten::batch_norm", &GraphReader::batch_norm},
      {"aten::linear", &GraphReader::linear},
      {"aten::addmm", &GraphReader::linear},
      {"aten::matmul", &GraphReader::linear},
      {"aten::mm", &GraphReader::linear},
      {"aten::dropout", &GraphReader::dropout},
      {"aten::alpha_dropout", &GraphReader::dropout},
      {"aten::feature_dropout", &GraphReader::dropout},
      {"aten::feature_alpha_dropout", &GraphReader::dropout},
      {"aten::relu", &GraphReader::activation},
      {"aten::leaky_relu", &GraphReader::activation},
      {"aten::gelu", &GraphReader::activation},
      {"aten::silu", &GraphReader::activation},
      {"aten::tanh", &GraphReader::activation},
      {"aten::sigmoid", &GraphReader::activation},
      {"aten::clamp", &GraphReader::clamp},
      {"aten::clamp_min", &GraphReader::clamp},
      {"aten::softmax", &GraphReader::softmax},
      {"aten::_softmax", &GraphReader::softmax},
      {"aten::log_softmax", &GraphReader::softmax},
      {"aten::_log_softmax", &GraphReader::softmax},
      {"aten::add", &GraphReader::add},
      {"aten::mul", &GraphReader::multiply},
      {"aten::multiply", &GraphReader::multiply},
      {"aten::div", &GraphReader::divide},
      {"aten::divide", &GraphReader::divide},
      {"aten::true_divide", &GraphReader::divide},
      {"aten::sqrt", &GraphReader::square_root},
      {"aten::pow", &GraphReader::square_root},
      {"aten::mean", &GraphReader::reduce},
      {"aten::sum", &GraphReader::reduce},
      {"aten::max", &GraphReader::reduce},
      {"aten::amax", &GraphReader::reduce},
      {"aten::var", &GraphReader::variance},
      {"aten::std", &GraphReader::variance},
      {"aten::adaptive_avg_pool1d", &GraphReader::adaptive_pool},
      {"aten::adaptive_max_pool1d", &GraphReader::adaptive_pool},
      {"aten::max_pool1d", &GraphReader::pool_over_length},
      {"aten::max_pool1d_with_indices", &GraphReader::pool_over_length},
      {"aten::avg_pool1d", &GraphReader::pool_over_length},
      {"aten::cat", &GraphReader::concat},
      {"aten::concat", &GraphReader::concat},
      {"aten::concatenate", &GraphReader::concat},
      {"aten::stack", &GraphReader::stack},
      {"aten::contiguous", &GraphReader::pass},
      {"aten::clone", &GraphReader::pass},
      {"aten::detach", &GraphReader::pass},
      {"aten::alias", &GraphReader::pass},
      {"aten::to", &GraphReader::cast},
      {"aten::type_as", &GraphReader::cast},
      {"aten::transpose", &GraphReader::transpose},
      {"aten::swapaxes", &GraphReader::transpose},
      {"aten::swapdims", &GraphReader::transpose},
      {"aten::mT", &GraphReader::swap_last_axes},
      {"aten::permute", &GraphReader::permute},
      {"aten::squeeze", &GraphReader::squeeze},
      {"aten::flatten", &GraphReader::flatten},
      {"aten::view", &GraphReader::view},
      {"aten::reshape", &GraphReader::view},
      {"aten::select", &GraphReader::select},
      {"aten::slice", &GraphReader::slice},
  };
  if (is_in_place(name)) name.remove_suffix(1);
  const auto found = handlers.find(name);
  return found == handlers.end() ? nullptr : found->second;
}

GraphReader::GraphReader(jit::Graph& graph, jit::Value* tokens) {
  auto& input = expressions_.emplace_back();
  input.value = tokens;
  input.name = "the input";
  known_[tokens] = {&input, Layout::tokens};
  read(*graph.block(), 0);
}

void GraphReader::read(jit::Block& block, int depth) {
  for (jit::Node* node : block.nodes()) read_node(*node, depth);
}

void GraphReader::read_node(jit::Node& node, int depth) {
  if (node.outputs().empty() || node.kind() == c10::prim::Constant) return;
  try {
    if (node.kind() == c10::prim::If) {
      read_branch(node, depth);
      return;
    }
    const NodeArguments arguments(node);
    if (const Handler handler = handler_of(arguments.name())) {
      if (is_in_place(arguments.name())) {
        for (const auto& use : node.inputs().at(0)->uses()) {
          if (use.user != &node && use.user->isAfter(&node)) {
            throw Inexpressible(std::string(arguments.name()) + ": changes a value in place that is used again later");
          }
        }
      }
      (this->*handler)(arguments);
      return;
    }
    for (const jit::Value* input : node.inputs()) {  // what came before is the first reason
      if (const auto found = unknown_.find(input); found != unknown_.end()) throw Inexpressible(found->second);
    }
    throw Inexpressible(std::string(arguments.name()) + ": this operator has no place in the models that ByteCNN runs");
  } catch (const Inexpressible& reason) {
    for (const jit::Value* output : node.outputs()) unknown_[output] = reason.what();
  }
}

/// A check that raises an exception (`if x.dim() != 3: raise ...`) decides nothing: the other branch is what happens.
void GraphReader::read_branch(jit::Node& node, int depth) {
  const auto blocks = node.blocks();
  if (depth < max_depth && blocks.size() == 2 && raises(*blocks[0]) != raises(*blocks[1])) {
    jit::Block& taken = *blocks[raises(*blocks[0]) ? 1 : 0];
    read(taken, depth + 1);
    for (std::size_t i = 0; i < node.outputs().size(); ++i) {
      const jit::Value* result = taken.outputs()[i];
      if (const auto found = known_.find(result); found != known_.end()) {
        known_[node.outputs()[i]] = found->second;
      } else if (const auto other = unknown_.find(result); other != unknown_.end()) {
        unknown_[node.outputs()[i]] = other->second;
      }
    }
    return;
  }
  throw Inexpressible("prim::If: what the model does depends on its input");
}

bool GraphReader::is_expression(const jit::Value* value) const {
  return known_.contains(value);
}

Operand GraphReader::at(const jit::Value* value) const {
  if (const auto found = known_.find(value); found != known_.end()) return found->second;
  if (const auto found = unknown_.find(value); found != unknown_.end()) throw Inexpressible(found->second);
  throw Inexpressible(std::string(value->node()->kind().toQualString()) +
                      ": a value that does not come from the model's input stands where one should");
}

Operand GraphReader::operand(const NodeArguments& arguments, std::string_view argument) const {
  const jit::Value* value = arguments.value(argument);
  if (value == nullptr) {
    throw Inexpressible(std::string(arguments.name()) + ": this form of the operator is not understood");
  }
  return at(value);
}

Operand GraphReader::operand(const NodeArguments& arguments, std::string_view argument,
                             std::initializer_list<Layout> layouts) const {
  const Operand found = operand(arguments, argument);
  if (std::find(layouts.begin(), layouts.end(), found.layout) == layouts.end()) {
    throw Inexpressible(std::string(arguments.name()) + ": its input (from " + found.expression->name +
                        ") has axes in an order or number that does not fit here");
  }
  return found;
}

Expression& GraphReader::make(Op op, Layout layout, std::vector<const Expression*> inputs,
                              const NodeArguments& arguments) {
  auto& made = expressions_.emplace_back();
  made.op = op;
  made.inputs = std::move(inputs);
  made.value = const_cast<jit::Value*>(arguments.node().outputs()[0]);  // NOLINT: the node came in mutable
  made.layout = layout;
  made.width = made.inputs.empty() ? 0 : made.inputs.front()->width;
  made.name = arguments.name();
  known_[made.value] = {&made, layout};
  return made;
}

void GraphReader::same(const Operand& operand, Layout layout, const NodeArguments& arguments) {
  known_[arguments.node().outputs()[0]] = {operand.expression, layout};
}

void GraphReader::embedding(const NodeArguments& arguments) {
  const auto weight = arguments.tensor("weight");
  const Operand tokens = operand(arguments, "indices", {Layout::tokens});
  if (!weight || weight->dim() != 2) throw Inexpressible("aten::embedding: its table does not have two dimensions");
  auto& made = make(Op::embedding, Layout::rows, {tokens.expression}, arguments);
  made.weight = *weight;
  made.width = weight->size(1);
}

void GraphReader::conv(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "input", {Layout::columns});
  const auto weight = arguments.tensor("weight");
  const std::string name(arguments.name());
  if (!weight || weight->dim() != 3) throw Inexpressible(name + ": only one-dimensional convolutions can be run");
  if (weight->numel() == 0) throw Inexpressible(name + ": has no weights");
  if (arguments.boolean("transposed").value_or(false)) throw Inexpressible(name + ": a transposed convolution");

  Expression described;
  described.weight = *weight;
  described.bias = arguments.tensor("bias").value_or(at::Tensor());
  described.stride = single(arguments, "stride", 1);
  described.dilation = single(arguments, "dilation", 1);
  described.groups = bounded(arguments, arguments.integer("groups").value_or(1));
  const jit::Value* padding = arguments.value("padding");
  if (padding != nullptr && padding->type()->kind() == c10::TypeKind::StringType) {
    const std::string mode = arguments.string("padding").value_or("");
    if (mode == "same") {
      const std::int64_t reach = described.dilation * (weight->size(2) - 1);
      described.left = reach / 2;
      described.right = reach - reach / 2;
    } else if (mode != "valid") {
      throw Inexpressible(name + ": padding '" + mode + "' is not known");
    }
  } else {
    described.left = described.right = single(arguments, "padding", 0);
  }

  auto& made = make(Op::conv, Layout::columns, {input.expression}, arguments);
  made.weight = described.weight;
  made.bias = described.bias;
  made.stride = described.stride;
  made.dilation = described.dilation;
  made.groups = described.groups;
  made.left = described.left;
  made.right = described.right;
  made.width = weight->size(0);
}

void GraphReader::pad(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::columns});
  const std::string name(arguments.name());
  const auto amounts = arguments.integers("pad").value_or(std::vector<std::int64_t>{});
  if (const auto mode = arguments.string("mode"); mode && *mode != "constant") {
    throw Inexpressible(name + ": padding mode '" + *mode + "'; only zeros can be run");
  }
  if (arguments.number("value").value_or(0) != 0) throw Inexpressible(name + ": pads with something else than zeros");
  if (amounts.size() != 2 || amounts[0] < 0 || amounts[1] < 0) {
    throw Inexpressible(name + ": pads by " + join(amounts) + "; only the ends of the positions can be padded");
  }
  auto& made = make(Op::pad, Layout::columns, {input.expression}, arguments);
  made.left = bounded(arguments, amounts[0]);
  made.right = bounded(arguments, amounts[1]);
}

void GraphReader::batch_norm(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "input", {Layout::columns});
  if (arguments.boolean("training").value_or(true)) {
    throw Inexpressible(
        "aten::batch_norm: works in training mode, with the statistics of each batch; call model.eval() before "
        "tracing");
  }
  const auto mean = arguments.tensor("running_mean");
  const auto variance = arguments.tensor("running_var");
  const auto eps = arguments.number("eps");
  if (!mean || !variance || !eps) throw Inexpressible("aten::batch_norm: has no running statistics");
  const auto gamma = arguments.tensor("weight");
  const auto beta = arguments.tensor("bias");
  auto& made = make(Op::batch_norm, Layout::columns, {input.expression}, arguments);
  made.weight = gamma.value_or(at::Tensor());
  made.bias = beta.value_or(at::Tensor());
  made.mean = *mean;
  made.variance = *variance;
  made.number = *eps;
}

/// aten::linear(input, weight, bias), and what older traces hold: addmm(bias, input, weight') and matmul(input,
/// weight').
void GraphReader::linear(const NodeArguments& arguments) {
  const std::string name(arguments.name());
  std::string_view input_name = "input";
  std::string_view weight_name = "weight";
  const bool transposed = name != "aten::linear";
  at::Tensor bias;
  if (name == "aten::addmm") {
    input_name = "mat1";
    weight_name = "mat2";
    if (arguments.number("alpha").value_or(1) != 1 || arguments.number("beta").value_or(1) != 1) {
      throw Inexpressible("aten::addmm: with factors");
    }
    bias = arguments.tensor("self").value_or(at::Tensor());
  } else if (transposed) {
    input_name = "self";
    weight_name = name == "aten::mm" ? "mat2" : "other";
  } else {
    bias = arguments.tensor("bias").value_or(at::Tensor());
  }
  const Operand input = operand(arguments, input_name, {Layout::features, Layout::flat});
  const auto weight = arguments.tensor(weight_name);
  if (!weight || weight->dim() != 2) throw Inexpressible(name + ": its weights do not have two dimensions");
  auto& made = make(Op::linear, input.layout, {input.expression}, arguments);
  made.weight = transposed ? weight->t() : *weight;
  made.bias = bias;
  made.width = made.weight.size(0);
}

void GraphReader::dropout(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "input");
  if (arguments.boolean("train").value_or(true) && arguments.number("p").value_or(1) != 0) {
    throw Inexpressible(std::string(arguments.name()) +
                        ": works in training mode; call model.eval() before tracing or scripting");
  }
  same(input, input.layout, arguments);
}

}  // namespace bytecnn::exporter
