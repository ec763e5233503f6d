// libtorch on the same work: bytes -> padded tokens -> embedding -> convolutions -> pooling -> dense layers -> score.
// It gets the folded weights, that is, the network without batch norm, which is the faster one for libtorch as well.

#include "peers_libtorch.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <dlfcn.h>
#include <torch/script.h>
#include <torch/torch.h>

namespace bytecnn::bench {
namespace {

torch::Tensor tensor_of(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  return torch::tensor(values, torch::kFloat32).reshape(shape).clone();
}

struct ConvTensors {
  torch::Tensor weight, bias, scale, shift;
};

struct DenseTensors {
  torch::Tensor weight, bias;
};

struct ModelTensors {
  torch::Tensor embedding;
  std::vector<ConvTensors> conv;
  std::vector<DenseTensors> dense;  ///< the output layer is the last
};

ModelTensors tensors_of(const Model& model) {
  const Architecture& a = model.architecture;
  ModelTensors tensors;
  tensors.embedding = tensor_of(model.weights.embedding, {a.vocab_size, a.embed_dim});
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const ConvLayer& layer = a.conv_layers[i];
    const ConvWeights& weights = model.weights.conv[i];
    ConvTensors conv;
    conv.weight = tensor_of(weights.weight, {layer.filters, a.in_channels(i) / layer.groups, layer.kernel_size});
    conv.bias = tensor_of(weights.bias, {layer.filters});
    if (!weights.scale.empty()) {
      conv.scale = tensor_of(weights.scale, {1, layer.filters, 1});
      conv.shift = tensor_of(weights.shift, {1, layer.filters, 1});
    }
    tensors.conv.push_back(std::move(conv));
  }
  std::int64_t inputs = a.pooled_features();
  for (std::size_t i = 0; i <= a.dense_layers.size(); ++i) {
    const bool last = i == a.dense_layers.size();
    const DenseWeights& weights = last ? model.weights.output : model.weights.dense[i];
    const std::int64_t units = last ? a.outputs : a.dense_layers[i].units;
    tensors.dense.push_back({tensor_of(weights.weight, {units, inputs}), tensor_of(weights.bias, {units})});
    inputs = units;
  }
  return tensors;
}

/// Raw bytes as the token tensor [1, positions] that a PyTorch program would build, padded by the model's pad token.
class Tokens {
 public:
  explicit Tokens(const Architecture& architecture)
      : max_len_(architecture.max_len),
        padded_(architecture.pad_token.has_value()),
        pad_token_(architecture.pad_token.value_or(0)),
        buffer_(architecture.max_len) {}

  torch::Tensor of(Text text) {
    const std::size_t length = std::min(text.size(), max_len_);
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length), buffer_.begin(),
                   [](std::byte byte) { return std::to_integer<std::int64_t>(byte); });
    if (padded_) std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(length), buffer_.end(), pad_token_);
    const auto positions = static_cast<std::int64_t>(padded_ ? max_len_ : length);
    return torch::from_blob(buffer_.data(), {1, positions}, torch::kInt64);
  }

 private:
  std::size_t max_len_;
  bool padded_;
  std::int64_t pad_token_;
  std::vector<std::int64_t> buffer_;
};

torch::Tensor activate(const torch::Tensor& x, const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return torch::relu(x);
    case Activation::Kind::leaky_relu:
      return torch::leaky_relu(x, activation.slope);
    case Activation::Kind::gelu:
      return torch::gelu(x);
    case Activation::Kind::silu:
      return torch::silu(x);
    case Activation::Kind::tanh:
      return torch::tanh(x);
    case Activation::Kind::sigmoid:
      return torch::sigmoid(x);
  }
  return x;
}

torch::Tensor pool(const torch::Tensor& x, Pooling pooling) {
  switch (pooling) {
    case Pooling::max:
      return x.amax(2);
    case Pooling::avg:
      return x.mean(2);
    case Pooling::avg_max:
      return (x.mean(2) + x.amax(2)) * 0.5;
    case Pooling::concat_avg_max:
      return torch::cat({x.mean(2), x.amax(2)}, 1);
    case Pooling::concat_avg_max_std:
      return torch::cat({x.mean(2), x.amax(2), torch::sqrt(x.var(2) + 1e-5)}, 1);
  }
  return x;
}

/// The score of a single output, or the best of many.
torch::Tensor score_of(const torch::Tensor& logits, Output output) {
  if (output == Output::sigmoid) return torch::sigmoid(logits).amax();
  if (output == Output::softmax) return torch::softmax(logits, 1).amax();
  return logits.amax();
}

class EagerLibtorch final : public Contender {
 public:
  explicit EagerLibtorch(const Model& model)
      : Contender("libtorch eager"),
        architecture_(model.architecture),
        tensors_(tensors_of(model)),
        tokens_(model.architecture) {}

  double classify_each(std::span<const Text> texts) override {
    const c10::InferenceMode inference;
    double sum = 0;
    for (const Text text : texts) sum += score_of(forward(text), architecture_.output).item<float>();
    return sum;
  }

  void logits(Text text, std::span<float> logits) override {
    const c10::InferenceMode inference;
    const torch::Tensor result = forward(text).contiguous();
    std::copy_n(result.data_ptr<float>(), logits.size(), logits.begin());
  }

 private:
  torch::Tensor forward(Text text) {
    torch::Tensor x = torch::embedding(tensors_.embedding, tokens_.of(text)).transpose(1, 2);
    for (std::size_t i = 0; i < tensors_.conv.size(); ++i) {
      const ConvLayer& layer = architecture_.conv_layers[i];
      const ConvTensors& conv = tensors_.conv[i];
      const bool symmetric = layer.pad_left == layer.pad_right;
      const torch::Tensor input =
          symmetric ? x : torch::constant_pad_nd(x, {std::int64_t{layer.pad_left}, std::int64_t{layer.pad_right}});
      torch::Tensor y = torch::conv1d(input, conv.weight, conv.bias, layer.stride, symmetric ? layer.pad_left : 0,
                                      layer.dilation, layer.groups);
      y = activate(y, layer.activation);
      if (conv.scale.defined()) y = y * conv.scale + conv.shift;
      x = layer.residual ? y + x : y;
    }
    x = pool(x, architecture_.pooling);
    for (std::size_t i = 0; i < tensors_.dense.size(); ++i) {
      x = torch::linear(x, tensors_.dense[i].weight, tensors_.dense[i].bias);
      if (i < architecture_.dense_layers.size()) x = activate(x, architecture_.dense_layers[i].activation);
    }
    return x;
  }

  Architecture architecture_;
  ModelTensors tensors_;
  Tokens tokens_;
};

std::string script_activation(const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return "x";
    case Activation::Kind::leaky_relu:
      return "torch.leaky_relu(x, " + std::to_string(activation.slope) + ")";
    case Activation::Kind::relu:
      return "torch.relu(x)";
    case Activation::Kind::gelu:
      return "torch.gelu(x)";
    case Activation::Kind::silu:
      return "torch.silu(x)";
    case Activation::Kind::tanh:
      return "torch.tanh(x)";
    case Activation::Kind::sigmoid:
      return "torch.sigmoid(x)";
  }
  return "x";
}

std::string script_pooling(Pooling pooling) {
  switch (pooling) {
    case Pooling::max:
      return "torch.amax(x, [2])";
    case Pooling::avg:
      return "torch.mean(x, [2])";
    case Pooling::avg_max:
      return "(torch.mean(x, [2]) + torch.amax(x, [2])) * 0.5";
    case Pooling::concat_avg_max:
      return "torch.cat([torch.mean(x, [2]), torch.amax(x, [2])], 1)";
    case Pooling::concat_avg_max_std:
      return "torch.cat([torch.mean(x, [2]), torch.amax(x, [2]), torch.sqrt(torch.var(x, [2]) + 1e-5)], 1)";
  }
  return "x";
}

/// The network as TorchScript source; its weights are attributes of the module.
std::string script_source(const Model& model, bool score) {
  const Architecture& a = model.architecture;
  std::string source =
      "def forward(self, tokens):\n  x = torch.transpose(torch.embedding(self.embedding, tokens), 1, 2)\n";
  const auto line = [&source](const std::string& text) { source += "  " + text + "\n"; };
  const auto list = [](std::uint32_t value) { return "[" + std::to_string(value) + "]"; };
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const ConvLayer& layer = a.conv_layers[i];
    const std::string name = "self.conv" + std::to_string(i);
    const bool symmetric = layer.pad_left == layer.pad_right;
    if (layer.residual) line("skipped = x");
    if (!symmetric) {
      line("x = torch.constant_pad_nd(x, [" + std::to_string(layer.pad_left) + ", " + std::to_string(layer.pad_right) +
           "], 0)");
    }
    line("x = torch.conv1d(x, " + name + "_weight, " + name + "_bias, " + list(layer.stride) + ", " +
         list(symmetric ? layer.pad_left : 0) + ", " + list(layer.dilation) + ", " + std::to_string(layer.groups) +
         ")");
    line("x = " + script_activation(layer.activation));
    if (!model.weights.conv[i].scale.empty()) line("x = x * " + name + "_scale + " + name + "_shift");
    if (layer.residual) line("x = x + skipped");
  }
  line("x = " + script_pooling(a.pooling));
  for (std::size_t i = 0; i <= a.dense_layers.size(); ++i) {
    const std::string name = "self.dense" + std::to_string(i);
    line("x = torch.linear(x, " + name + "_weight, " + name + "_bias)");
    if (i < a.dense_layers.size()) line("x = " + script_activation(a.dense_layers[i].activation));
  }
  if (score && a.output == Output::sigmoid) line("x = torch.sigmoid(x)");
  if (score && a.output == Output::softmax) line("x = torch.softmax(x, 1)");
  line(score ? "return torch.amax(x)" : "return x");
  return source;
}

torch::jit::Module script_module(const Model& model, bool score) {
  const ModelTensors tensors = tensors_of(model);
  torch::jit::Module module("bytecnn");
  module.register_attribute("training", c10::BoolType::get(), false);
  const auto parameter = [&module](const std::string& name, const torch::Tensor& tensor) {
    module.register_parameter(name, tensor, false);
  };
  parameter("embedding", tensors.embedding);
  for (std::size_t i = 0; i < tensors.conv.size(); ++i) {
    const std::string name = "conv" + std::to_string(i);
    parameter(name + "_weight", tensors.conv[i].weight);
    parameter(name + "_bias", tensors.conv[i].bias);
    if (tensors.conv[i].scale.defined()) {
      parameter(name + "_scale", tensors.conv[i].scale);
      parameter(name + "_shift", tensors.conv[i].shift);
    }
  }
  for (std::size_t i = 0; i < tensors.dense.size(); ++i) {
    parameter("dense" + std::to_string(i) + "_weight", tensors.dense[i].weight);
    parameter("dense" + std::to_string(i) + "_bias", tensors.dense[i].bias);
  }
  module.define(script_source(model, score));
  torch::jit::Module frozen = torch::jit::freeze(module);
  return torch::jit::optimize_for_inference(frozen);
}

class TorchScript final : public Contender {
 public:
  explicit TorchScript(const Model& model)
      : Contender("libtorch TorchScript"),
        tokens_(model.architecture),
        score_(script_module(model, true)),
        logits_(script_module(model, false)) {}

  double classify_each(std::span<const Text> texts) override {
    const c10::InferenceMode inference;
    double sum = 0;
    for (const Text text : texts) sum += score_.forward({tokens_.of(text)}).toTensor().item<float>();
    return sum;
  }

  void logits(Text text, std::span<float> logits) override {
    const c10::InferenceMode inference;
    const torch::Tensor result = logits_.forward({tokens_.of(text)}).toTensor().contiguous();
    std::copy_n(result.data_ptr<float>(), logits.size(), logits.begin());
  }

 private:
  Tokens tokens_;
  torch::jit::Module score_;
  torch::jit::Module logits_;
};

template <class Function>
Function* symbol(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

LibtorchSetting prepare_libtorch() {
  LibtorchSetting setting;
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  setting.threads = at::get_num_threads();
  setting.version = TORCH_VERSION;
  Dl_info info{};
  if (void* sgemm = dlsym(RTLD_DEFAULT, "sgemm_"); sgemm != nullptr && dladdr(sgemm, &info) != 0) {
    std::error_code ignored;
    const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, ignored);
    setting.blas_library = file.empty() ? info.dli_fname : file.string();
  }
  // By its path, for OpenBLAS may have come in through another library while libtorch calls the reference BLAS.
  setting.openblas = setting.blas_library.find("openblas") != std::string::npos;
  if (auto* config = symbol<char*()>("openblas_get_config"); setting.openblas && config != nullptr) {
    setting.blas_config = config();
  }
  // OpenBLAS keeps threads of its own beside libtorch's.
  if (auto* set_threads = symbol<void(int)>("openblas_set_num_threads")) set_threads(1);
  return setting;
}

std::vector<std::unique_ptr<Contender>> libtorch_contenders(const Model& model) {
  std::vector<std::unique_ptr<Contender>> contenders;
  contenders.push_back(std::make_unique<EagerLibtorch>(model));
  contenders.push_back(std::make_unique<TorchScript>(model));
  return contenders;
}

}  // namespace bytecnn::bench
