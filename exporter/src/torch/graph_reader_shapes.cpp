#include <algorithm>
#include <limits>
#include <string>

#include "torch/graph_reader.hpp"

namespace bytecnn::exporter {

namespace jit = torch::jit;

namespace {

[[noreturn]] void no_such_shape(const NodeArguments& arguments) {
  throw Inexpressible(std::string(arguments.name()) + ": reshapes in a way that no byte CNN needs");
}

/// Axes may be counted from the end.
bool is_axis(std::int64_t dim, std::int64_t axis, std::int64_t rank) {
  return dim == axis || dim == axis - rank;
}

/// Of rows or columns, once positions and channels have changed places.
Layout swapped(Layout layout) {
  return layout == Layout::rows ? Layout::columns : Layout::rows;
}

}  // namespace

Layout GraphReader::reduced(const NodeArguments& arguments, const Operand& of, std::int64_t dim, bool keep) const {
  if (of.layout == Layout::columns && is_axis(dim, 2, 3)) return keep ? Layout::kept : Layout::features;
  if (of.layout == Layout::rows && is_axis(dim, 1, 3) && !keep) return Layout::features;
  throw Inexpressible(std::string(arguments.name()) + ": works over another axis than the positions");
}

/// mean(x, [2], keepdim), sum(x, [2], keepdim), max(x, 2, keepdim)[0], amax(x, [2], keepdim)
void GraphReader::reduce(const NodeArguments& arguments) {
  const std::string name(arguments.name());
  const Operand input = operand(arguments, "self");
  if (input.layout == Layout::stacked) {
    reduce_stack(arguments, *input.expression);
    return;
  }
  if (arguments.value("other") != nullptr) throw Inexpressible(name + ": the larger of two tensors");
  const auto dims = arguments.integers("dim").value_or(std::vector<std::int64_t>{});
  if (dims.size() != 1) throw Inexpressible(name + ": not over the positions alone");
  if (const auto* dtype = arguments.value("dtype"); dtype != nullptr && arguments.integer("dtype")) {
    throw Inexpressible(name + ": in a type of its own");
  }
  const Layout layout = reduced(arguments, input, dims.front(), arguments.boolean("keepdim").value_or(false));
  const Op op = name == "aten::mean" ? Op::average : name == "aten::sum" ? Op::sum : Op::maximum;
  make(op, layout, {input.expression}, arguments);
}

/// stack([a, b], d).mean(d) and .sum(d): another spelling of their sum.
void GraphReader::reduce_stack(const NodeArguments& arguments, const Expression& stack) {
  const std::string name(arguments.name());
  const auto dims = arguments.integers("dim").value_or(std::vector<std::int64_t>{});
  const bool along =
      stack.op == Op::stack && dims.size() == 1 && is_axis(dims.front(), static_cast<std::int64_t>(stack.number), 3);
  if (!along || arguments.boolean("keepdim").value_or(false) || (name != "aten::mean" && name != "aten::sum")) {
    throw Inexpressible(name + ": of a stack, only the mean or the sum of what was stacked can be run");
  }
  if (stack.inputs.size() != 2) {
    throw Inexpressible(name + ": of a stack of " + std::to_string(stack.inputs.size()) + "; only two can be run");
  }
  const Expression& both = make(Op::add, Layout::features, stack.inputs, arguments);
  if (name == "aten::mean") make(Op::scale, Layout::features, {&both}, arguments).number = 0.5;
}

void GraphReader::variance(const NodeArguments& arguments) {
  const std::string name(arguments.name());
  const Operand input = operand(arguments, "self");
  const auto dims = arguments.integers("dim").value_or(std::vector<std::int64_t>{});
  if (dims.size() != 1) throw Inexpressible(name + ": not over the positions alone");
  if (!arguments.boolean("unbiased").value_or(true) || arguments.number("correction").value_or(1) != 1) {
    throw Inexpressible(name + ": the biased form; only the unbiased one can be run");
  }
  const Layout layout = reduced(arguments, input, dims.front(), arguments.boolean("keepdim").value_or(false));
  const auto& made = make(Op::variance, layout, {input.expression}, arguments);
  if (name == "aten::std") make(Op::square_root, layout, {&made}, arguments);
}

void GraphReader::adaptive_pool(const NodeArguments& arguments) {
  const std::string name(arguments.name());
  const Operand input = operand(arguments, "self", {Layout::columns});
  if (arguments.integers("output_size") != std::vector<std::int64_t>{1}) {
    throw Inexpressible(name + ": pools to more than one position");
  }
  make(name == "aten::adaptive_avg_pool1d" ? Op::average : Op::maximum, Layout::kept, {input.expression}, arguments);
}

bool GraphReader::counts_positions(const jit::Value* value, const Expression& of) const {
  // Traces wrap sizes: Int(NumToTensor(size(x, 2))), and lists hold one of them.
  for (int step = 0; step < 8; ++step) {
    const jit::Node* node = value->node();
    const std::string name = node->kind().toQualString();
    const bool wrapper = name == "aten::Int" || name == "prim::NumToTensor" || name == "aten::ScalarImplicit" ||
                         name == "aten::Float" || name == "aten::IntImplicit" ||
                         (name == "prim::ListConstruct" && node->inputs().size() == 1);
    if (wrapper) {
      value = node->inputs()[0];
      continue;
    }
    const bool indexed = name == "aten::__getitem__";  // x.shape[2]
    const jit::Node* size = indexed ? node->inputs()[0]->node() : node;
    if (size->kind() != c10::aten::size || size->inputs().size() != (indexed ? 1 : 2)) return false;
    const auto sized = known_.find(size->inputs()[0]);
    const auto axis = constant_number(node->inputs()[1]);
    if (sized == known_.end() || sized->second.expression != &of || !axis) return false;
    const Layout layout = sized->second.layout;
    return (layout == Layout::columns && (*axis == 2 || *axis == -1)) ||
           (layout == Layout::rows && (*axis == 1 || *axis == -2));
  }
  return false;
}

/// max_pool1d(x, x.size(2)): one window over everything.
void GraphReader::pool_over_length(const NodeArguments& arguments) {
  const std::string name(arguments.name());
  const Operand input = operand(arguments, "self", {Layout::columns});
  const auto all_are = [&](std::string_view argument, std::int64_t wanted) {
    const auto list = arguments.integers(argument);
    return !list || std::all_of(list->begin(), list->end(), [&](std::int64_t number) { return number == wanted; });
  };
  if (!counts_positions(arguments.value("kernel_size"), *input.expression) || !all_are("padding", 0) ||
      !all_are("dilation", 1)) {
    throw Inexpressible(name + ": pools over less than all positions");
  }
  make(name == "aten::avg_pool1d" ? Op::average : Op::maximum, Layout::kept, {input.expression}, arguments);
}

std::vector<Operand> GraphReader::operands(const NodeArguments& arguments) const {
  const jit::Value* list = arguments.value("tensors");
  if (list == nullptr || list->node()->kind() != c10::prim::ListConstruct || list->node()->inputs().empty()) {
    throw Inexpressible(std::string(arguments.name()) + ": of a list that the graph does not show");
  }
  std::vector<Operand> found;
  for (const jit::Value* element : list->node()->inputs()) found.push_back(at(element));
  return found;
}

void GraphReader::concat(const NodeArguments& arguments) {
  std::vector<const Expression*> parts;
  Layout layout = Layout::tokens;
  std::int64_t width = 0;
  for (const Operand& part : operands(arguments)) {
    if (!parts.empty() && part.layout != layout) {
      throw Inexpressible(std::string(arguments.name()) + ": of values with different axes");
    }
    layout = part.layout;
    width += part.expression->width;
    parts.push_back(part.expression);
  }
  const auto dim = arguments.integer("dim").value_or(0);
  const bool over_features = (layout == Layout::features && is_axis(dim, 1, 2)) ||
                             (layout == Layout::kept && is_axis(dim, 1, 3)) ||
                             (layout == Layout::flat && is_axis(dim, 0, 1));
  if (!over_features) {
    throw Inexpressible(std::string(arguments.name()) + ": only pooled features can be concatenated");
  }
  make(Op::concat, layout, std::move(parts), arguments).width = width;
}

/// stack([a, b], dim) of pooled features; only reduce_stack takes it further.
void GraphReader::stack(const NodeArguments& arguments) {
  std::vector<const Expression*> parts;
  for (const Operand& part : operands(arguments)) {
    if (part.layout != Layout::features || (!parts.empty() && part.expression->width != parts.front()->width)) {
      throw Inexpressible("aten::stack: only pooled features of equal width can be stacked");
    }
    parts.push_back(part.expression);
  }
  const auto dim = arguments.integer("dim").value_or(0);
  make(Op::stack, Layout::stacked, std::move(parts), arguments).number = static_cast<double>(dim < 0 ? dim + 3 : dim);
}

void GraphReader::pass(const NodeArguments& arguments) {
  const Operand input = operand(arguments, arguments.value("self") == nullptr ? "input" : "self");
  same(input, input.layout, arguments);
}

void GraphReader::cast(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self");
  if (const auto* stated = arguments.value("dtype"); stated != nullptr && input.layout != Layout::tokens) {
    const auto dtype = arguments.integer("dtype");
    if (dtype && *dtype != static_cast<std::int64_t>(at::kFloat) && *dtype != static_cast<std::int64_t>(at::kDouble)) {
      throw Inexpressible("aten::to: a type of less precision on the way");
    }
  }
  if (input.layout != Layout::tokens) {
    float_casts_.push_back(const_cast<jit::Node*>(&arguments.node()));  // NOLINT: the node came in mutable
  }
  same(input, input.layout, arguments);
}

void GraphReader::transpose(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::rows, Layout::columns});
  const bool axes = arguments.value("dim0") == nullptr;
  const auto first = arguments.integer(axes ? "axis0" : "dim0").value_or(0);
  const auto second = arguments.integer(axes ? "axis1" : "dim1").value_or(0);
  const bool swaps = (is_axis(first, 1, 3) && is_axis(second, 2, 3)) || (is_axis(first, 2, 3) && is_axis(second, 1, 3));
  if (!swaps) no_such_shape(arguments);
  same(input, swapped(input.layout), arguments);
}

void GraphReader::swap_last_axes(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::rows, Layout::columns});
  same(input, swapped(input.layout), arguments);
}

void GraphReader::permute(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::rows, Layout::columns});
  const auto dims = arguments.integers("dims").value_or(std::vector<std::int64_t>{});
  if (dims.size() != 3 || !is_axis(dims[0], 0, 3)) no_such_shape(arguments);
  if (is_axis(dims[1], 2, 3) && is_axis(dims[2], 1, 3)) {
    same(input, swapped(input.layout), arguments);
  } else if (is_axis(dims[1], 1, 3) && is_axis(dims[2], 2, 3)) {
    same(input, input.layout, arguments);
  } else {
    no_such_shape(arguments);
  }
}

void GraphReader::squeeze(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::kept, Layout::features, Layout::flat});
  const std::int64_t rank = input.layout == Layout::kept ? 3 : input.layout == Layout::features ? 2 : 1;
  const bool everything = arguments.value("dim") == nullptr;
  auto dims =
      everything ? std::vector<std::int64_t>{} : arguments.integers("dim").value_or(std::vector<std::int64_t>{});
  if (everything) {
    for (std::int64_t axis = 0; axis < rank; ++axis) dims.push_back(axis);
  }
  const auto squeezes = [&](std::int64_t axis) {
    return std::any_of(dims.begin(), dims.end(), [&](std::int64_t dim) { return is_axis(dim, axis, rank); });
  };
  Layout layout = input.layout;
  if (layout == Layout::kept && squeezes(2)) layout = Layout::features;
  const bool single = input.expression->width == 1 && squeezes(1);
  if (layout == Layout::features && rank >= 2 && (squeezes(0) || single)) layout = Layout::flat;
  if (layout == Layout::kept && (squeezes(0) || single)) no_such_shape(arguments);
  same(input, layout, arguments);
}

void GraphReader::flatten(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::kept, Layout::features, Layout::flat});
  const auto start = arguments.integer("start_dim").value_or(0);
  const std::int64_t rank = input.layout == Layout::kept ? 3 : input.layout == Layout::features ? 2 : 1;
  if (!is_axis(arguments.integer("end_dim").value_or(-1), rank - 1, rank)) no_such_shape(arguments);
  if (is_axis(start, 0, rank)) {
    same(input, Layout::flat, arguments);
  } else if (is_axis(start, 1, rank)) {
    same(input, Layout::features, arguments);
  } else {
    no_such_shape(arguments);
  }
}

void GraphReader::view(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::kept, Layout::features, Layout::flat});
  const jit::Value* stated = arguments.value(arguments.value("size") == nullptr ? "shape" : "size");
  const auto size = stated == nullptr ? std::nullopt : constant_integers(stated);
  if (!size) no_such_shape(arguments);
  // Elements that are not constants are sizes of other tensors: the batch, or the number of features.
  const auto may_be = [](std::int64_t element, std::int64_t wanted) {
    return element == wanted || element == -1 || element == unknown_element;
  };
  const std::int64_t width = input.expression->width;
  if (size->size() == 1 && may_be(size->front(), width)) {
    same(input, Layout::flat, arguments);
  } else if (size->size() == 2 && may_be((*size)[0], 1) && may_be((*size)[1], width)) {
    same(input, Layout::features, arguments);
  } else {
    no_such_shape(arguments);
  }
}

void GraphReader::select(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self", {Layout::kept, Layout::features});
  const auto dim = arguments.integer("dim").value_or(0);
  const auto index = arguments.integer("index").value_or(0);
  const bool first_or_last = index == 0 || index == -1;
  if (input.layout == Layout::kept && is_axis(dim, 2, 3) && first_or_last) {
    same(input, Layout::features, arguments);
  } else if (input.layout == Layout::features && first_or_last &&
             (is_axis(dim, 0, 2) || (is_axis(dim, 1, 2) && input.expression->width == 1))) {
    same(input, Layout::flat, arguments);
  } else {
    no_such_shape(arguments);
  }
}

/// x[:, :, 0] slices the whole of the first axes before it selects.
void GraphReader::slice(const NodeArguments& arguments) {
  const Operand input = operand(arguments, "self");
  const bool whole = arguments.integer("start").value_or(0) == 0 &&
                     arguments.integer("end").value_or(std::numeric_limits<std::int64_t>::max()) ==
                         std::numeric_limits<std::int64_t>::max() &&
                     arguments.integer("step").value_or(1) == 1;
  if (!whole) throw Inexpressible("aten::slice: takes a part of the values");
  same(input, input.layout, arguments);
}

}  // namespace bytecnn::exporter
