#include "torch/torchscript_module.hpp"

#include <utility>

#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include "bytecnn/error.hpp"

#include "torch/libtorch_errors.hpp"
#include "torch/token_row.hpp"

namespace bytecnn::exporter {

namespace jit = torch::jit;

namespace {
constexpr const char* run_failed = "the TorchScript module fails on this input";
}

TorchscriptModule::TorchscriptModule(std::string path, Architecture architecture)
    : path_(std::move(path)),
      architecture_(std::move(architecture)),
      frozen_(load_frozen_graph(path_)),
      double_(typed_graph(*frozen_, at::kDouble, path_)),
      double_code_(with_bytecnn_errors(ErrorCode::unsupported, "libtorch cannot run this graph", path_,
                                       [&] { return jit::Code(double_.graph, "forward"); })) {}

std::vector<at::Tensor> TorchscriptModule::run(const TypedGraph& graph, const jit::Code& code,
                                               std::span<const std::byte> input) const {
  const c10::InferenceMode inference;
  jit::Stack stack;
  stack.emplace_back();  // self: a frozen graph does not look at it
  stack.emplace_back(token_row(architecture_, input));
  jit::InterpreterState(code).run(stack);
  std::vector<at::Tensor> outputs;
  for (auto& value : stack) outputs.push_back(value.toTensor());
  if (outputs.size() != 1 + graph.structure.layers.size()) {
    throw Error(ErrorCode::invalid, "the module returns something unexpected", path_);
  }
  return outputs;
}

std::vector<double> TorchscriptModule::checked_logits(const at::Tensor& logits) const {
  auto values = to_doubles(logits);
  if (values.size() != architecture_.outputs) {
    throw Error(ErrorCode::invalid, "the module gives another number of logits than its weights say", path_,
                std::to_string(architecture_.outputs), std::to_string(values.size()));
  }
  return values;
}

std::vector<double> TorchscriptModule::logits(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, run_failed, path_,
                             [&] { return checked_logits(run(double_, double_code_, input).front()); });
}

std::vector<double> TorchscriptModule::logits_float32(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, run_failed, path_, [&] {
    if (!float32_) {
      float32_ = typed_graph(*frozen_, at::kFloat, path_);
      float32_code_ = jit::Code(float32_->graph, "forward");
    }
    return checked_logits(run(*float32_, float32_code_, input).front());
  });
}

std::vector<std::vector<double>> TorchscriptModule::layer_outputs(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, run_failed, path_, [&] {
    const auto outputs = run(double_, double_code_, input);
    std::vector<std::vector<double>> result;
    for (std::size_t i = 1; i < outputs.size(); ++i) {
      const bool rows = double_.structure.layers[i - 1].layout == Layout::rows;  // [1, L, C]
      result.push_back(to_doubles(rows ? outputs[i].transpose(1, 2) : outputs[i]));
    }
    return result;
  });
}

std::string TorchscriptModule::engine() const {
  return "libtorch " TORCH_VERSION " (TorchScript)";
}

}  // namespace bytecnn::exporter
