// Every activation on every instruction set, a hundred thousand arguments each, through the whole engine: one
// convolution of kernel size 1 whose sums are exact, one position, and a head that hands the features on.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

namespace bytecnn {
namespace {

using Kind = Activation::Kind;

constexpr std::size_t filters = 64;

/// Filter f of byte b sees b * step * 2 + f * step * 512 + offset: all of them exact, 64 * 256 arguments in a row.
Model ramp(Kind kind, float offset, float step) {
  Model model;
  Architecture& a = model.architecture;
  a.embed_dim = 1;
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = 1;
  layer.activation.kind = kind;
  a.conv_layers = {layer};
  a.pooling = Pooling::max;
  a.outputs = filters;
  a.output = Output::none;
  a.max_len = 1;
  for (int byte = 0; byte < 256; ++byte) model.weights.embedding.push_back(static_cast<float>(2 * byte) * step);
  ConvWeights conv;
  conv.weight.assign(filters, 1.0F);
  for (std::size_t f = 0; f < filters; ++f) conv.bias.push_back(offset + static_cast<float>(512 * f) * step);
  model.weights.conv = {conv};
  model.weights.output.weight.assign(filters * filters, 0.0F);
  for (std::size_t f = 0; f < filters; ++f) model.weights.output.weight[f * filters + f] = 1.0F;
  model.weights.output.bias.assign(filters, 0.0F);
  return model;
}

double exact(Kind kind, double x) {
  switch (kind) {
    case Kind::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Kind::silu:
      return x / (1 + std::exp(-x));
    case Kind::tanh:
      return std::tanh(x);
    default:
      return 1 / (1 + std::exp(-x));
  }
}

/// What src/kernels/activations.hpp promises.
double allowed(Kind kind, double x) {
  if (kind == Kind::gelu || kind == Kind::silu) return 3e-7 * std::max(1.0, std::abs(x));
  return 2.5e-7 * std::abs(exact(kind, x)) + (kind == Kind::sigmoid ? 2e-38 : 0.0);
}

class ActivationAccuracyTest : public ::testing::TestWithParam<Isa> {};

INSTANTIATE_TEST_SUITE_P(EveryIsa, ActivationAccuracyTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(ActivationAccuracyTest, KeepsItsBoundFromTheSmallestToTheLargestArguments) {
  // From -step * 2^14 to step * 2^14: the last step reaches beyond where float's exponential overflows.
  for (const Kind kind : {Kind::gelu, Kind::silu, Kind::tanh, Kind::sigmoid}) {
    for (const float step : {0x1p-26F, 0x1p-17F, 0x1p-13F, 0x1p-11F, 0x1p-9F, 0x1p-6F}) {
      const float offset = -step * 16384;
      const Classifier classifier(ramp(kind, offset, step), GetParam());
      std::vector<float> logits(filters);
      for (int byte = 0; byte < 256; ++byte) {
        const std::vector<std::byte> input(1, static_cast<std::byte>(byte));
        classifier.classify(std::span<const std::byte>(input), logits);
        for (std::size_t f = 0; f < filters; ++f) {
          const double x =
              static_cast<double>(offset) + static_cast<double>(step) * (2.0 * byte + 512.0 * static_cast<double>(f));
          ASSERT_LE(std::abs(static_cast<double>(logits[f]) - exact(kind, x)), allowed(kind, x))
              << to_string(Activation{kind}) << "(" << x << ") = " << logits[f];
        }
      }
    }
  }
}

}  // namespace
}  // namespace bytecnn
