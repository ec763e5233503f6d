#include "torch/torchscript_graph.hpp"

#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/serialization/import.h>

#include "bytecnn/error.hpp"

#include "torch/graph_reader.hpp"
#include "torch/libtorch_errors.hpp"

namespace bytecnn::exporter {

namespace jit = torch::jit;

namespace {

/// Arguments of forward beyond the bytes take their defaults, where they have some.
void bind_defaults(jit::Graph& graph, const c10::FunctionSchema& schema, const std::string& path) {
  const auto& arguments = schema.arguments();  // self, the bytes, ...
  for (std::size_t i = graph.inputs().size(); i-- > 2;) {
    jit::Value* input = graph.inputs()[i];
    if (input->hasUses()) {
      if (i >= arguments.size() || !arguments[i].default_value()) {
        throw Error(ErrorCode::unsupported, "the module's forward takes more than the bytes", path, "forward(x)",
                    "an argument '" + input->debugNameBase() + "' without a default");
      }
      const jit::WithInsertPoint at_start(*graph.nodes().begin());
      input->replaceAllUsesWith(graph.insertConstant(*arguments[i].default_value()));
    }
    graph.eraseInput(i);
  }
  if (graph.inputs().size() != 2) {
    throw Error(ErrorCode::unsupported, "the module's forward takes no input", path, "forward(x)");
  }
}

void convert_constants(jit::Block& block, at::ScalarType type) {
  for (jit::Node* node : block.nodes()) {
    if (node->kind() == c10::prim::Constant && node->hasAttribute(c10::attr::value) &&
        node->kindOf(c10::attr::value) == jit::AttributeKind::t) {
      const at::Tensor constant = node->t(c10::attr::value);
      // Numbers without dimensions take part in arithmetic as scalars do: their type does not matter.
      if (constant.defined() && constant.is_floating_point() && constant.layout() == at::kStrided &&
          !constant.is_quantized()) {
        node->t_(c10::attr::value, constant.detach().to(type));
        node->output()->inferTypeFrom(node->t(c10::attr::value));
      }
    }
    for (jit::Block* inner : node->blocks()) convert_constants(*inner, type);
  }
}

}  // namespace

std::shared_ptr<jit::Graph> load_frozen_graph(const std::string& path) {
  jit::Module module = with_bytecnn_errors(ErrorCode::invalid, "libtorch cannot load this TorchScript file", path,
                                           [&] { return jit::load(path, at::kCPU); });
  return with_bytecnn_errors(ErrorCode::unsupported, "libtorch cannot freeze this TorchScript module", path, [&] {
    if (!module.find_method("forward")) {
      throw Error(ErrorCode::unsupported, "the TorchScript module has no method forward", path);
    }
    module.eval();
    // A module without attributes was frozen before it was saved; freezing it again would find no `training` flag.
    if (module.hasattr("training")) module = jit::freeze_module(module);
    const jit::Method forward = module.get_method("forward");
    auto graph = forward.graph()->copy();
    jit::Inline(*graph);
    bind_defaults(*graph, forward.function().getSchema(), path);
    jit::ConstantPropagation(graph);
    jit::LowerAllTuples(graph);
    jit::EliminateDeadCode(graph);
    return graph;
  });
}

TypedGraph typed_graph(const jit::Graph& frozen, at::ScalarType type, const std::string& path) {
  return with_bytecnn_errors(ErrorCode::unsupported, "libtorch cannot read this TorchScript graph", path, [&] {
    TypedGraph typed{const_cast<jit::Graph&>(frozen).copy(), {}};  // NOLINT: copy() is not const, yet copies
    jit::Graph& graph = *typed.graph;
    if (graph.outputs().size() != 1) {
      throw Error(ErrorCode::unsupported, "the module returns several values", path, "the logits or the scores alone",
                  std::to_string(graph.outputs().size()) + " values");
    }
    convert_constants(*graph.block(), type);
    const GraphReader reader(graph, graph.inputs().at(1));
    try {
      typed.structure = match_structure(*reader.at(graph.outputs()[0]).expression);
    } catch (const Inexpressible& reason) {
      throw Error(ErrorCode::unsupported, std::string("the module does what ByteCNN cannot run: ") + reason.what(),
                  path);
    } catch (const Error& error) {
      throw error.at(path);
    }

    for (jit::Node* cast : reader.float_casts()) cast->output()->replaceAllUsesWith(cast->inputs()[0]);
    graph.registerOutput(typed.structure.logits);
    graph.eraseOutput(0);
    for (const auto& layer : typed.structure.layers) graph.registerOutput(layer.value);
    jit::EliminateDeadCode(typed.graph);
    return typed;
  });
}

}  // namespace bytecnn::exporter
