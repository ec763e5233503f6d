#include "random_model.hpp"

#include <algorithm>
#include <cmath>

namespace bytecnn::testing {
namespace {

class Draw {
 public:
  explicit Draw(std::uint32_t seed) : engine_(seed) {}
  std::uint32_t number(std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(engine_);
  }
  bool chance(double p) { return std::bernoulli_distribution(p)(engine_); }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    return *(values.begin() + number(0, static_cast<std::uint32_t>(values.size()) - 1));
  }
  std::vector<float> normal(std::size_t count, double deviation, double mean = 0) {
    std::normal_distribution<double> distribution(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(distribution(engine_));
    return values;
  }

 private:
  std::mt19937 engine_;
};

Activation random_activation(Draw& draw) {
  using Kind = Activation::Kind;
  const Kind kind = draw.one_of({Kind::relu, Kind::relu, Kind::relu, Kind::leaky_relu, Kind::gelu, Kind::silu,
                                 Kind::tanh, Kind::sigmoid, Kind::none});
  return {kind, kind == Kind::leaky_relu ? draw.one_of({0.01F, 0.2F}) : 0.01F};
}

DenseWeights random_dense(Draw& draw, std::size_t units, std::size_t inputs) {
  return {draw.normal(units * inputs, 1.0 / std::sqrt(static_cast<double>(inputs))), draw.normal(units, 0.1)};
}

}  // namespace

ConvLayer conv(std::uint32_t filters, std::uint32_t kernel_size, Activation::Kind activation, std::uint32_t dilation) {
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = kernel_size;
  layer.dilation = dilation;
  layer.pad_left = layer.reach() / 2;
  layer.pad_right = layer.reach() - layer.pad_left;
  layer.activation = {activation};
  return layer;
}

Model with_random_weights(const Architecture& architecture, std::uint32_t seed) {
  Draw draw(seed);
  Model model;
  model.info.name = "random " + std::to_string(seed);
  model.architecture = architecture;
  model.weights.embedding = draw.normal(std::size_t{architecture.vocab_size} * architecture.embed_dim, 0.5);
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const std::size_t window = std::size_t{architecture.in_channels(i)} / layer.groups * layer.kernel_size;
    ConvWeights conv;
    conv.weight = draw.normal(window * layer.filters, std::sqrt(2.0 / static_cast<double>(window)));
    conv.bias = draw.normal(layer.filters, 0.2);
    if (layer.batch_norm) {
      conv.scale = draw.normal(layer.filters, 0.3, 1.0);
      conv.shift = draw.normal(layer.filters, 0.3);
    }
    model.weights.conv.push_back(std::move(conv));
  }
  std::size_t features = architecture.pooled_features();
  for (const DenseLayer& layer : architecture.dense_layers) {
    model.weights.dense.push_back(random_dense(draw, layer.units, features));
    features = layer.units;
  }
  model.weights.output = random_dense(draw, architecture.outputs, features);
  return model;
}

Architecture random_architecture(std::uint32_t seed) {
  Draw draw(seed * 2654435761U + 1);
  Architecture a;
  a.vocab_size = draw.one_of({256U, 257U, 260U});
  a.embed_dim = draw.number(1, 20);
  a.max_len = draw.one_of({16U, 40U, 64U, 129U, 200U});
  const std::uint32_t layers = draw.number(1, 4);
  for (std::uint32_t i = 0; i < layers; ++i) {
    const std::uint32_t inputs = a.in_channels(i);
    ConvLayer layer;
    layer.kernel_size = draw.one_of({1U, 2U, 3U, 3U, 4U, 5U, 7U});
    layer.dilation = draw.one_of({1U, 1U, 1U, 2U, 3U});
    layer.activation = random_activation(draw);
    if (draw.chance(0.25)) {
      layer.filters = inputs;
      layer.residual = true;
      layer.pad_left = draw.number(0, layer.reach());
      layer.pad_right = layer.reach() - layer.pad_left;
    } else {
      layer.filters = draw.number(1, 70);
      layer.stride = draw.one_of({1U, 1U, 1U, 2U, 3U, 5U});
      layer.pad_left = draw.one_of({layer.reach() / 2, 0U, draw.number(0, layer.reach() + 3)});
      layer.pad_right = draw.one_of({layer.reach() - layer.reach() / 2, 0U, draw.number(0, layer.reach() + 3)});
    }
    if (draw.chance(0.3)) {
      const std::uint32_t groups = draw.one_of({2U, 3U, 4U, inputs});
      if (!layer.residual) layer.filters = (layer.filters + groups - 1) / groups * groups;
      if (inputs % groups == 0 && layer.filters % groups == 0) layer.groups = groups;
    }
    if (draw.chance(0.25)) layer.batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
    a.conv_layers.push_back(layer);
    if (a.pooled_positions(a.max_len) < 3) {
      ConvLayer plain;
      plain.filters = 8;
      plain.kernel_size = 1;
      a.conv_layers.back() = plain;
    }
  }
  a.pooling =
      draw.one_of({Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max, Pooling::concat_avg_max_std});
  const std::uint32_t dense = draw.number(0, 2);
  for (std::uint32_t i = 0; i < dense; ++i) a.dense_layers.push_back({draw.number(1, 130), random_activation(draw)});
  a.outputs = draw.one_of({1U, 1U, 2U, 3U, 17U, 38U});
  a.output = draw.one_of({Output::sigmoid, Output::softmax, Output::none});
  a.pad_token = 0;
  if (a.vocab_size > 256 && draw.chance(0.5)) a.pad_token = 256;
  if (draw.chance(0.2)) a.pad_token.reset();
  validate(a);
  return a;
}

std::string describe(const Architecture& a) {
  std::string text = "vocab " + std::to_string(a.vocab_size) + ", d " + std::to_string(a.embed_dim) + ", max_len " +
                     std::to_string(a.max_len) + ", pad " + (a.pad_token ? std::to_string(*a.pad_token) : "none");
  for (const ConvLayer& layer : a.conv_layers) {
    text += "; conv " + std::to_string(layer.filters) + " k" + std::to_string(layer.kernel_size) + " s" +
            std::to_string(layer.stride) + " d" + std::to_string(layer.dilation) + " g" + std::to_string(layer.groups) +
            " p" + std::to_string(layer.pad_left) + "/" + std::to_string(layer.pad_right) + " " +
            to_string(layer.activation) + (layer.batch_norm ? " bn" : "") + (layer.residual ? " residual" : "");
  }
  text += "; " + std::string(to_string(a.pooling));
  for (const DenseLayer& layer : a.dense_layers)
    text += "; dense " + std::to_string(layer.units) + " " + to_string(layer.activation);
  return text + "; " + std::to_string(a.outputs) + " " + std::string(to_string(a.output));
}

Bytes random_bytes(std::size_t length, std::uint32_t seed) {
  std::mt19937 engine(seed);
  Bytes bytes(length);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine() & 255U);
  return bytes;
}

Bytes bytes_of(std::string_view text) {
  Bytes bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

std::vector<std::size_t> telling_lengths(const Architecture& a) {
  const std::size_t n = a.max_len;
  std::vector<std::size_t> lengths = {0, 1, 2, 3, 5, n / 2, n - 3, n - 2, n - 1, n, n + 1, 10 * n};
  if (a.pad_token) return lengths;
  std::erase_if(lengths, [&](std::size_t length) {
    return a.pooled_positions(std::min<std::size_t>(length, n)) < minimum_pooled_positions(a.pooling);
  });
  return lengths;
}

double logit_error(const Model& model, const Bytes& input, std::span<const float> logits) {
  const std::vector<double> expected = reference_logits(model, input);
  double scale = 1;
  for (const double logit : expected) scale = std::max(scale, std::abs(logit));
  double worst = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double error = std::abs(static_cast<double>(logits[i]) - expected[i]) / scale;
    worst = error > worst || std::isnan(error) ? error : worst;
  }
  return worst;
}

double logit_error(const Classifier& classifier, const Bytes& input) {
  std::vector<float> logits(classifier.outputs());
  const Result result = classifier.classify(std::span<const std::byte>(input), logits);
  return result.status == Status::ok ? logit_error(classifier.model(), input, logits) : INFINITY;
}

}  // namespace bytecnn::testing
