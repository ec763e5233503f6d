#include "random_original.hpp"

#include <cmath>
#include <random>
#include <vector>

namespace bytecnn::exporter::testing {
namespace {

/// Numbers that are the same with every standard library, and float32 as those of a checkpoint.
class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : engine_(seed) {}
  double uniform(double low, double high) {
    const double share = static_cast<double>(engine_()) / 4294967296.0;
    return static_cast<double>(static_cast<float>(low + (high - low) * share));
  }
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_() % limit); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  std::vector<double> many(std::uint64_t count, double low, double high) {
    std::vector<double> numbers(count);
    for (auto& number : numbers) number = uniform(low, high);
    return numbers;
  }

 private:
  std::mt19937 engine_;
};

ConvLayer random_layer(Numbers& numbers, std::uint32_t inputs) {
  ConvLayer layer;
  layer.kernel_size = 1 + numbers.below(5);
  layer.groups = inputs % 2 == 0 && numbers.chance(25) ? 2 : 1;
  layer.filters = layer.groups * (2 + numbers.below(5));
  layer.stride = numbers.chance(25) ? 2 : 1;
  layer.dilation = numbers.chance(25) ? 2 : 1;
  layer.pad_left = numbers.chance(50) ? layer.reach() / 2 : numbers.below(layer.reach() + 2);
  layer.pad_right = numbers.chance(50) ? layer.reach() - layer.reach() / 2 : numbers.below(layer.reach() + 2);
  constexpr Activation::Kind kinds[] = {Activation::Kind::relu,    Activation::Kind::relu, Activation::Kind::leaky_relu,
                                        Activation::Kind::gelu,    Activation::Kind::silu, Activation::Kind::tanh,
                                        Activation::Kind::sigmoid, Activation::Kind::none};
  layer.activation.kind = kinds[numbers.below(8)];
  if (numbers.chance(60)) {
    layer.batch_norm =
        BatchNormSpec{numbers.chance(50) ? 1e-5 : 1e-3, numbers.chance(70) ? BatchNormSpec::Position::before_activation
                                                                           : BatchNormSpec::Position::after_activation};
  }
  if (numbers.chance(20)) {  // a residual block keeps its shape
    layer.filters = inputs;
    layer.stride = 1;
    layer.pad_left = layer.reach() / 2;
    layer.pad_right = layer.reach() - layer.pad_left;
    layer.residual = true;
  }
  return layer;
}

}  // namespace

Original with_random_weights(const Architecture& architecture, std::uint32_t seed) {
  Numbers numbers(seed);
  Original original;
  original.architecture = architecture;
  original.embedding = numbers.many(std::uint64_t{architecture.vocab_size} * architecture.embed_dim, -1, 1);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const std::uint64_t window = std::uint64_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size;
    const double size = std::sqrt(3.0 / static_cast<double>(window));
    OriginalConv conv;
    conv.weight = numbers.many(window * layer.filters, -size, size);
    if (!layer.batch_norm || numbers.chance(50)) conv.bias = numbers.many(layer.filters, -0.5, 0.5);
    if (layer.batch_norm) {
      conv.batch_norm = {numbers.many(layer.filters, 0.5, 1.5), numbers.many(layer.filters, -0.5, 0.5),
                         numbers.many(layer.filters, -1, 1), numbers.many(layer.filters, 0.01, 2)};
    }
    original.conv.push_back(std::move(conv));
  }
  std::uint64_t inputs = architecture.pooled_features();
  const auto dense = [&](std::uint64_t units) {
    const double size = std::sqrt(3.0 / static_cast<double>(inputs));
    OriginalDense layer{numbers.many(inputs * units, -size, size), numbers.many(units, -0.5, 0.5)};
    inputs = units;
    return layer;
  };
  for (const DenseLayer& layer : architecture.dense_layers) original.dense.push_back(dense(layer.units));
  original.output = dense(architecture.outputs);
  return original;
}

Original random_original(std::uint32_t seed) {
  Numbers numbers(seed * 7919 + 1);
  Architecture architecture;
  architecture.vocab_size = numbers.chance(25) ? 257 : 256;
  architecture.embed_dim = 2 + numbers.below(6);
  architecture.max_len = 24 + numbers.below(40);
  if (architecture.vocab_size == 257) {
    architecture.pad_token = 256;
  } else if (numbers.chance(30)) {
    architecture.pad_token.reset();
  }
  for (std::uint32_t i = 0, layers = 1 + numbers.below(3); i < layers; ++i) {
    architecture.conv_layers.push_back(random_layer(numbers, architecture.in_channels(i)));
  }
  constexpr Pooling poolings[] = {Pooling::avg_max, Pooling::max, Pooling::avg, Pooling::concat_avg_max,
                                  Pooling::concat_avg_max_std};
  architecture.pooling = poolings[numbers.below(5)];
  for (std::uint32_t i = 0, layers = numbers.below(3); i < layers; ++i) {
    architecture.dense_layers.push_back({3 + numbers.below(6), Activation{Activation::Kind::relu}});
  }
  architecture.outputs = numbers.chance(50) ? 1 : 2 + numbers.below(3);
  architecture.output = architecture.outputs == 1 || numbers.chance(30) ? Output::sigmoid : Output::softmax;
  return with_random_weights(architecture, seed);
}

Original two_layer_original(std::uint32_t seed) {
  Architecture architecture;
  architecture.embed_dim = 6;
  architecture.max_len = 40;
  ConvLayer first;
  first.filters = 8;
  first.kernel_size = 3;
  first.pad_left = first.pad_right = 1;
  first.activation.kind = Activation::Kind::relu;
  first.batch_norm = BatchNormSpec{};
  ConvLayer second = first;
  second.filters = 10;
  second.kernel_size = 4;
  second.pad_right = 2;
  architecture.conv_layers = {first, second};
  architecture.dense_layers = {{7, Activation{Activation::Kind::relu}}};
  architecture.outputs = 1;
  return with_random_weights(architecture, seed);
}

std::string describe(const Architecture& architecture) {
  std::string text = "embedding " + std::to_string(architecture.vocab_size) + "x" +
                     std::to_string(architecture.embed_dim) + ", max_len " + std::to_string(architecture.max_len) +
                     (architecture.pad_token ? "" : " not padded");
  for (const ConvLayer& layer : architecture.conv_layers) {
    text += "; conv " + std::to_string(layer.filters) + " k" + std::to_string(layer.kernel_size) + " s" +
            std::to_string(layer.stride) + " d" + std::to_string(layer.dilation) + " g" + std::to_string(layer.groups) +
            " p" + std::to_string(layer.pad_left) + "," + std::to_string(layer.pad_right) + " " +
            to_string(layer.activation);
    if (layer.batch_norm) text += " bn " + std::string(to_string(layer.batch_norm->position));
    if (layer.residual) text += " residual";
  }
  return text + "; " + std::string(to_string(architecture.pooling)) + ", " +
         std::to_string(architecture.dense_layers.size()) + " dense, " + std::to_string(architecture.outputs) + " " +
         std::string(to_string(architecture.output));
}

}  // namespace bytecnn::exporter::testing
