// The rebuilt original: libtorch's operators put together as the architecture says.

#include <cmath>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// One filter of kernel 1 over a one-dimensional embedding that counts: everything can be worked out on paper.
Original on_paper() {
  Original original;
  Architecture& architecture = original.architecture;
  architecture.embed_dim = 1;
  architecture.max_len = 4;
  architecture.outputs = 1;
  architecture.pooling = Pooling::avg_max;
  ConvLayer layer;
  layer.filters = 1;
  layer.kernel_size = 1;
  layer.activation.kind = Activation::Kind::relu;
  layer.batch_norm = BatchNormSpec{0.5, BatchNormSpec::Position::before_activation};
  architecture.conv_layers = {layer};
  for (int i = 0; i < 256; ++i) original.embedding.push_back(i);
  OriginalConv conv;
  conv.weight = {2};
  conv.bias = {1};
  conv.batch_norm = {{3}, {-1}, {5}, {3.5}};  // gamma, beta, mean, variance
  original.conv = {conv};
  original.output = {{10}, {0.25}};
  return original;
}

TEST(RebuiltModel, GivesWhatPaperGives) {
  const auto runner = torch_for_tests().rebuild(on_paper());
  // byte b: relu((2 b + 1 - 5) * 3 / 2 - 1) = relu(3 b - 7); pads are 0; average of 4 positions and maximum
  const std::vector<std::byte> input{std::byte{3}, std::byte{10}};  // 2, 23
  EXPECT_DOUBLE_EQ(runner->logits(input).at(0), 10 * (25.0 / 4 + 23) / 2 + 0.25);
  EXPECT_DOUBLE_EQ(runner->logits({}).at(0), 0.25);
  EXPECT_NEAR(runner->logits_float32(input).at(0), 10 * (25.0 / 4 + 23) / 2 + 0.25, 1e-4);
}

TEST(RebuiltModel, CutsAtMaxLen) {
  const auto runner = torch_for_tests().rebuild(on_paper());
  const std::vector<std::byte> four(4, std::byte{9});
  std::vector<std::byte> five = four;
  five.push_back(std::byte{255});
  EXPECT_EQ(runner->logits(four), runner->logits(five));
}

TEST(RebuiltModel, RefusesInputsThatAreTooShort) {
  Original original = on_paper();
  original.architecture.pad_token.reset();
  const auto runner = torch_for_tests().rebuild(original);
  EXPECT_THROW((void)runner->logits({}), Error);
  EXPECT_NO_THROW((void)runner->logits(std::vector<std::byte>(1)));
}

TEST(RebuiltModel, AgreesWithTheReferenceOverTheWholeArchitectureSpace) {
  for (std::uint32_t seed = 100; seed < 160; ++seed) {
    const Original original = random_original(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(original.architecture));
    try {
      validate(original.architecture);
    } catch (const Error&) {
      continue;
    }
    const Model model = fold(original);
    const auto runner = torch_for_tests().rebuild(original);
    std::vector<std::byte> input(original.architecture.max_len - 2);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<std::byte>((i * 41 + seed) & 0xFFU);
    const auto expected = reference_layer_outputs(model, input);
    const auto layers = runner->layer_outputs(input);
    ASSERT_EQ(layers.size(), expected.size());
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      ASSERT_EQ(layers[layer].size(), expected[layer].size()) << "layer " << layer;
      for (std::size_t i = 0; i < layers[layer].size(); ++i) {
        ASSERT_NEAR(layers[layer][i], expected[layer][i], 2e-5 * (1 + std::abs(expected[layer][i])))
            << "layer " << layer << ", value " << i;
      }
    }
  }
}

TEST(RebuiltModel, RefusesWeightsThatDoNotFit) {
  Original original = two_layer_original(1);
  original.conv[1].weight.pop_back();
  EXPECT_THROW((void)torch_for_tests().rebuild(original), Error);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
