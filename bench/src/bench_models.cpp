#include "bench_models.hpp"

#include <cmath>
#include <filesystem>
#include <random>

#include "bytecnn/error.hpp"
#include "bytecnn/model_json.hpp"

namespace bytecnn::bench {
namespace {

std::vector<float> normal(std::mt19937& engine, std::size_t count, double deviation) {
  std::normal_distribution<double> distribution(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(distribution(engine));
  return values;
}

DenseWeights random_dense(std::mt19937& engine, std::size_t units, std::size_t inputs) {
  DenseWeights dense;
  dense.weight = normal(engine, units * inputs, std::sqrt(2.0 / static_cast<double>(inputs)));
  dense.bias = normal(engine, units, 0.1);
  return dense;
}

ConvLayer same_conv(std::uint32_t filters, std::uint32_t kernel_size, Activation::Kind activation, bool residual) {
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = kernel_size;
  layer.pad_left = layer.reach() / 2;
  layer.pad_right = layer.reach() - layer.pad_left;
  layer.activation.kind = activation;
  layer.residual = residual;
  return layer;
}

Architecture made_architecture(std::string_view name) {
  constexpr auto relu = Activation::Kind::relu;
  constexpr auto gelu = Activation::Kind::gelu;
  Architecture a;
  a.outputs = 1;
  std::uint32_t dense = 48;
  if (name == "1L") {
    a.embed_dim = 12;
    a.conv_layers = {same_conv(40, 3, relu, false)};
    dense = 128;
  } else if (name == "2L") {
    a.embed_dim = 14;
    a.conv_layers = {same_conv(28, 3, relu, false), same_conv(24, 3, relu, false)};
  } else if (name == "3L") {
    a.embed_dim = 14;
    a.conv_layers = {same_conv(28, 3, relu, false), same_conv(28, 5, relu, false), same_conv(24, 3, relu, false)};
  } else if (name == "6L") {
    a.embed_dim = 80;
    a.conv_layers.assign(6, same_conv(80, 3, gelu, true));
    dense = 80;
  } else {
    throw Error(ErrorCode::usage, "unknown model", "--models", "1L, 2L, 3L or 6L (model files: --model-file)",
                "\"" + std::string(name) + "\"");
  }
  a.dense_layers = {{dense, {relu}}};
  return a;
}

}  // namespace

Model with_random_weights(const Architecture& architecture) {
  std::mt19937 engine(20261122);
  Model model;
  model.architecture = architecture;
  model.weights.embedding = normal(engine, std::size_t{architecture.vocab_size} * architecture.embed_dim, 0.5);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const std::size_t window = std::size_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size;
    ConvWeights conv;
    conv.weight =
        normal(engine, window * layer.filters, std::sqrt((layer.residual ? 0.5 : 2.0) / static_cast<double>(window)));
    conv.bias = normal(engine, layer.filters, 0.1);
    model.weights.conv.push_back(std::move(conv));
  }
  std::size_t features = architecture.pooled_features();
  for (const DenseLayer& layer : architecture.dense_layers) {
    model.weights.dense.push_back(random_dense(engine, layer.units, features));
    features = layer.units;
  }
  model.weights.output = random_dense(engine, architecture.outputs, features);
  return model;
}

std::vector<std::string_view> made_model_names() {
  return {"1L", "2L", "3L", "6L"};
}

BenchModel make_model(std::string_view name) {
  BenchModel made{std::string(name), with_random_weights(made_architecture(name))};
  made.model.info.name = made.name;
  validate(made.model);
  return made;
}

BenchModel load_bench_model(const std::string& path) {
  return {std::filesystem::path(path).stem().string(), load_model(path)};
}

std::string describe(const Architecture& a) {
  std::string text = "embedding " + std::to_string(a.embed_dim);
  for (std::size_t i = 0; i < a.conv_layers.size();) {
    std::size_t same = 1;
    while (i + same < a.conv_layers.size() && a.conv_layers[i + same] == a.conv_layers[i]) ++same;
    const ConvLayer& layer = a.conv_layers[i];
    text += ", " + (same > 1 ? std::to_string(same) + " x " : "") + "conv " + std::to_string(layer.filters) + " of " +
            std::to_string(layer.kernel_size);
    if (layer.stride != 1) text += " stride " + std::to_string(layer.stride);
    if (layer.dilation != 1) text += " dilation " + std::to_string(layer.dilation);
    if (layer.groups != 1) text += " groups " + std::to_string(layer.groups);
    text += " " + to_string(layer.activation) + (layer.residual ? " residual" : "");
    i += same;
  }
  text += ", " + std::string(to_string(a.pooling)) + " over " + std::to_string(a.max_len);
  for (const DenseLayer& layer : a.dense_layers) text += ", dense " + std::to_string(layer.units);
  return text + ", " + std::to_string(a.outputs) + " " + std::string(to_string(a.output)) +
         (a.outputs == 1 ? " output" : " outputs");
}

}  // namespace bytecnn::bench
