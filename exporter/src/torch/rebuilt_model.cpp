#include "torch/rebuilt_model.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <ATen/ops/add.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/var.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include "bytecnn/error.hpp"

#include "torch/libtorch_errors.hpp"
#include "torch/token_row.hpp"

namespace bytecnn::exporter {
namespace {

at::Tensor tensor_of(const std::vector<double>& values, std::initializer_list<std::int64_t> shape,
                     const std::string& name) {
  std::int64_t expected = 1;
  for (const auto size : shape) expected *= size;
  if (static_cast<std::int64_t>(values.size()) != expected) {
    throw Error(ErrorCode::invalid, "the weights do not fit the architecture", name,
                std::to_string(expected) + " numbers", std::to_string(values.size()));
  }
  at::Tensor tensor = at::empty(at::IntArrayRef(shape.begin(), shape.size()), at::TensorOptions().dtype(at::kDouble));
  std::copy(values.begin(), values.end(), tensor.data_ptr<double>());
  return tensor;
}

/// A bias may be missing: then the tensor is undefined, as libtorch's operators want it.
at::Tensor bias_of(const std::vector<double>& values, std::int64_t size, const std::string& name) {
  return values.empty() ? at::Tensor() : tensor_of(values, {size}, name);
}

at::Tensor activate(const Activation& activation, const at::Tensor& x) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return at::relu(x);
    case Activation::Kind::leaky_relu:
      return at::leaky_relu(x, static_cast<double>(activation.slope));
    case Activation::Kind::gelu:
      return at::gelu(x);
    case Activation::Kind::silu:
      return at::silu(x);
    case Activation::Kind::tanh:
      return at::tanh(x);
    case Activation::Kind::sigmoid:
      return at::sigmoid(x);
  }
  throw Error(ErrorCode::unsupported, "unknown activation");
}

at::Tensor cast(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.defined() ? tensor.to(type) : tensor;
}

}  // namespace

RebuiltModel::Parameters RebuiltModel::Parameters::as(at::ScalarType type) const {
  Parameters result = *this;
  result.embedding = cast(embedding, type);
  for (auto& layer : result.conv) {
    for (at::Tensor* tensor : {&layer.weight, &layer.bias, &layer.batch_norm.gamma, &layer.batch_norm.beta,
                               &layer.batch_norm.mean, &layer.batch_norm.variance}) {
      *tensor = cast(*tensor, type);
    }
  }
  for (auto& layer : result.dense) {
    layer.weight = cast(layer.weight, type);
    layer.bias = cast(layer.bias, type);
  }
  return result;
}

RebuiltModel::RebuiltModel(const Original& original) : architecture_(original.architecture) {
  const auto& a = architecture_;
  if (original.conv.size() != a.conv_layers.size() || original.dense.size() != a.dense_layers.size()) {
    throw Error(ErrorCode::invalid, "the original has other layers than its architecture states");
  }
  const c10::InferenceMode inference;
  parameters_.embedding = tensor_of(original.embedding, {a.vocab_size, a.embed_dim}, "embedding");
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const auto& layer = a.conv_layers[i];
    const auto& source = original.conv[i];
    const std::string name = "conv" + std::to_string(i + 1);
    const std::int64_t filters = layer.filters;
    Conv conv;
    conv.weight = tensor_of(source.weight, {filters, a.in_channels(i) / layer.groups, layer.kernel_size}, name);
    conv.bias = bias_of(source.bias, filters, name + " bias");
    if (layer.batch_norm) {
      conv.batch_norm = {tensor_of(source.batch_norm.gamma, {filters}, name + " batch norm gamma"),
                         tensor_of(source.batch_norm.beta, {filters}, name + " batch norm beta"),
                         tensor_of(source.batch_norm.mean, {filters}, name + " batch norm mean"),
                         tensor_of(source.batch_norm.variance, {filters}, name + " batch norm variance")};
    }
    parameters_.conv.push_back(std::move(conv));
  }
  std::int64_t features = a.pooled_features();
  for (std::size_t i = 0; i < a.dense_layers.size(); ++i) {
    const std::int64_t units = a.dense_layers[i].units;
    const std::string name = "dense" + std::to_string(i + 1);
    parameters_.dense.push_back({tensor_of(original.dense[i].weight, {units, features}, name),
                                 bias_of(original.dense[i].bias, units, name + " bias")});
    features = units;
  }
  parameters_.dense.push_back({tensor_of(original.output.weight, {a.outputs, features}, "output"),
                               bias_of(original.output.bias, a.outputs, "output bias")});
}

at::Tensor RebuiltModel::conv_block(const ConvLayer& layer, const Conv& conv, const at::Tensor& input) const {
  const auto normalised = [&](const at::Tensor& x) {
    return at::batch_norm(x, conv.batch_norm.gamma, conv.batch_norm.beta, conv.batch_norm.mean,
                          conv.batch_norm.variance, /*training=*/false, /*momentum=*/0.1, layer.batch_norm->eps,
                          /*cudnn_enabled=*/false);
  };
  const bool before = layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::before_activation;
  const bool after = layer.batch_norm && !before;
  // conv1d pads both ends alike, so the padding is an operator of its own.
  at::Tensor x = input;
  if (layer.pad_left != 0 || layer.pad_right != 0) {
    x = at::constant_pad_nd(x, {static_cast<std::int64_t>(layer.pad_left), static_cast<std::int64_t>(layer.pad_right)},
                            0);
  }
  x = at::conv1d(x, conv.weight, conv.bias, at::IntArrayRef{static_cast<std::int64_t>(layer.stride)},
                 at::IntArrayRef{0}, at::IntArrayRef{static_cast<std::int64_t>(layer.dilation)},
                 static_cast<std::int64_t>(layer.groups));
  if (before) x = normalised(x);
  x = activate(layer.activation, x);
  if (after) x = normalised(x);
  if (layer.residual) x = at::add(x, input);
  return x;
}

at::Tensor RebuiltModel::pool(const at::Tensor& columns) const {
  const std::array<std::int64_t, 1> axis{2};
  const at::IntArrayRef positions(axis);
  const auto average = [&] { return at::mean(columns, positions); };
  const auto maximum = [&] { return at::amax(columns, positions); };
  switch (architecture_.pooling) {
    case Pooling::max:
      return maximum();
    case Pooling::avg:
      return average();
    case Pooling::avg_max:
      return at::mul(at::add(average(), maximum()), 0.5);
    case Pooling::concat_avg_max:
      return at::cat({average(), maximum()}, 1);
    case Pooling::concat_avg_max_std: {
      const at::Tensor variance = at::var(columns, positions, /*unbiased=*/true, /*keepdim=*/false);
      return at::cat({average(), maximum(), at::sqrt(at::add(variance, 1e-5))}, 1);
    }
  }
  throw Error(ErrorCode::unsupported, "unknown pooling");
}

at::Tensor RebuiltModel::run(const Parameters& parameters, std::span<const std::byte> input,
                             std::vector<at::Tensor>* stages) const {
  const c10::InferenceMode inference;
  const auto reached = [&](const at::Tensor& x) {
    if (stages != nullptr) stages->push_back(x);
  };
  const at::Tensor tokens = token_row(architecture_, input);
  at::Tensor x = at::embedding(parameters.embedding, tokens).transpose(1, 2);
  for (std::size_t i = 0; i < parameters.conv.size(); ++i) {
    x = conv_block(architecture_.conv_layers[i], parameters.conv[i], x);
    reached(x);
  }
  x = pool(x);
  reached(x);
  for (std::size_t i = 0; i < parameters.dense.size(); ++i) {
    x = at::linear(x, parameters.dense[i].weight, parameters.dense[i].bias);
    if (i < architecture_.dense_layers.size()) x = activate(architecture_.dense_layers[i].activation, x);
    reached(x);
  }
  return x;
}

namespace {
constexpr const char* rebuilt_failed = "libtorch cannot run the rebuilt original";
}

std::vector<double> RebuiltModel::logits(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, rebuilt_failed, {},
                             [&] { return to_doubles(run(parameters_, input)); });
}

std::vector<double> RebuiltModel::logits_float32(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, rebuilt_failed, {}, [&] {
    if (!float32_) {
      const c10::InferenceMode inference;
      float32_ = parameters_.as(at::kFloat);
    }
    return to_doubles(run(*float32_, input));
  });
}

std::vector<std::vector<double>> RebuiltModel::layer_outputs(std::span<const std::byte> input) {
  return with_bytecnn_errors(ErrorCode::invalid, rebuilt_failed, {}, [&] {
    std::vector<at::Tensor> stages;
    (void)run(parameters_, input, &stages);
    std::vector<std::vector<double>> result;
    for (const auto& stage : stages) result.push_back(to_doubles(stage));
    return result;
  });
}

std::string RebuiltModel::engine() const {
  return "libtorch " TORCH_VERSION;
}

}  // namespace bytecnn::exporter
