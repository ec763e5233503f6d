// The double-precision reference: against numbers computed by hand, and against a second, independent implementation.

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "naive_formula.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::byte_value_model;
using testing::bytes;
using testing::error_of;
using testing::with_plain_head;
using Numbers = std::vector<double>;

/// What leaves the conv layer, position by position.
Numbers columns(const Model& model, const testing::Bytes& input) {
  return reference_layer_outputs(model, input).front();
}

Model with_pooling(Pooling pooling) {
  Model model = byte_value_model();
  model.architecture.pooling = pooling;
  return with_plain_head(model);
}

TEST(ReferenceTest, PoolingsByHand) {
  const auto input = bytes({1, 2, 9});  // mean 4, maximum 9, variance (9 + 4 + 25) / 2 = 19
  EXPECT_EQ(reference_logits(with_pooling(Pooling::max), input), Numbers{9});
  EXPECT_EQ(reference_logits(with_pooling(Pooling::avg), input), Numbers{4});
  EXPECT_EQ(reference_logits(with_pooling(Pooling::avg_max), input), Numbers{6.5});
  EXPECT_EQ(reference_logits(with_pooling(Pooling::concat_avg_max), input), (Numbers{4, 9}));
  EXPECT_EQ(reference_logits(with_pooling(Pooling::concat_avg_max_std), input), (Numbers{4, 9, std::sqrt(19 + 1e-5)}));
}

TEST(ReferenceTest, ActivationsByHand) {
  using Kind = Activation::Kind;
  Model model = byte_value_model();
  model.weights.embedding[1] = -1.5F;
  const auto at = [&](Activation activation, int byte) {
    model.architecture.conv_layers[0].activation = activation;
    return columns(model, bytes({byte}))[0];
  };
  // Byte 1 stands for -1.5, byte 2 for 2. gelu(2) = 2 Phi(2) with Phi(2) = 0.9772498680518208 from a table.
  EXPECT_EQ(at({Kind::none}, 1), -1.5);
  EXPECT_EQ(at({Kind::relu}, 1), 0);
  EXPECT_EQ(at({Kind::relu}, 2), 2);
  EXPECT_EQ(at({Kind::leaky_relu, 0.25F}, 1), -0.375);
  EXPECT_EQ(at({Kind::leaky_relu, 0.25F}, 2), 2);
  EXPECT_NEAR(at({Kind::gelu}, 2), 1.9544997361036416, 1e-15);
  EXPECT_NEAR(at({Kind::gelu}, 1), -1.5 * 0.0668072012688581, 1e-15);
  EXPECT_NEAR(at({Kind::silu}, 2), 2 * 0.8807970779778823, 1e-15);
  EXPECT_NEAR(at({Kind::silu}, 1), -1.5 * 0.1824255238063564, 1e-15);
  EXPECT_NEAR(at({Kind::tanh}, 2), 0.9640275800758169, 1e-15);
  EXPECT_NEAR(at({Kind::sigmoid}, 1), 0.1824255238063564, 1e-15);
}

TEST(ReferenceTest, AConvolutionIsACorrelationAsInPyTorch) {
  EXPECT_EQ(columns(byte_value_model({1, 10, 100}), bytes({1, 2, 3, 4})), (Numbers{321, 432}));
}

TEST(ReferenceTest, BiasStrideDilationAndPaddingByHand) {
  Model model = byte_value_model({1, 10});
  ConvLayer& layer = model.architecture.conv_layers[0];
  const auto input = bytes({1, 2, 3, 4, 5});
  model.weights.conv[0].bias = {1000};
  EXPECT_EQ(columns(model, input), (Numbers{1021, 1032, 1043, 1054}));
  model.weights.conv[0].bias = {0};
  layer.stride = 2;
  EXPECT_EQ(columns(model, input), (Numbers{21, 43}));  // 5 has no partner
  layer.dilation = 2;
  EXPECT_EQ(columns(model, input), (Numbers{31, 53}));
  layer.stride = 1;
  layer.pad_left = 1;
  layer.pad_right = 2;
  EXPECT_EQ(columns(model, input), (Numbers{20, 31, 42, 53, 4, 5}));
}

/// E[b] = [b, 10 b], one conv layer with kernel size 1 and these weights [filters][inputs of a group].
Model two_channels(std::uint32_t groups, std::vector<float> weight) {
  Model model = byte_value_model();
  Architecture& a = model.architecture;
  a.embed_dim = 2;
  model.weights.embedding.clear();
  for (int b = 0; b < 256; ++b) {
    model.weights.embedding.push_back(static_cast<float>(b));
    model.weights.embedding.push_back(static_cast<float>(10 * b));
  }
  a.conv_layers[0].groups = groups;
  a.conv_layers[0].filters = static_cast<std::uint32_t>(weight.size()) * groups / 2;
  model.weights.conv[0].bias.assign(a.conv_layers[0].filters, 0.0F);
  model.weights.conv[0].weight = std::move(weight);
  return with_plain_head(model);
}

TEST(ReferenceTest, GroupsSeeTheirOwnChannelsOnly) {
  EXPECT_EQ(columns(two_channels(1, {1, 2, 3, 4}), bytes({1})), (Numbers{21, 43}));
  EXPECT_EQ(columns(two_channels(2, {1, 2}), bytes({1})), (Numbers{1, 20}));
  // Two filters a group: the first two see channel 0, the others channel 1.
  EXPECT_EQ(columns(two_channels(2, {1, 2, 3, 4}), bytes({1})), (Numbers{1, 2, 30, 40}));
}

TEST(ReferenceTest, ScaleAndShiftComeAfterTheActivationAndTheResidualLast) {
  Model model = byte_value_model({-1});
  ConvLayer& layer = model.architecture.conv_layers[0];
  layer.activation = {Activation::Kind::relu};
  layer.batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
  model.weights.conv[0].bias = {5};
  model.weights.conv[0].scale = {2};
  model.weights.conv[0].shift = {-1};
  EXPECT_EQ(columns(model, bytes({3, 7})), (Numbers{3, -1}));  // 2 relu(5 - x) - 1
  layer.residual = true;
  EXPECT_EQ(columns(model, bytes({3, 7})), (Numbers{6, 6}));
}

TEST(ReferenceTest, CutsToMaxLenAndPadsWithTheTokenNotWithZeroColumns) {
  Model model = byte_value_model({1, 10}, 4);
  EXPECT_EQ(columns(model, bytes({1, 2, 3, 4, 5, 6})), (Numbers{21, 32, 43}));
  model.architecture.pad_token = 7;
  EXPECT_EQ(columns(model, bytes({1, 2})), (Numbers{21, 72, 77}));
  model.architecture.conv_layers[0].pad_right = 1;
  EXPECT_EQ(columns(model, bytes({1, 2})), (Numbers{21, 72, 77, 7}));
}

TEST(ReferenceTest, DenseLayersByHand) {
  Model model = byte_value_model();
  model.architecture.dense_layers = {{2, {Activation::Kind::relu}}};
  model.weights.dense = {{{1, -1}, {0.5F, 3}}};
  model.architecture.outputs = 1;
  model.weights.output = {{10, 100}, {1000}};
  const auto outputs = reference_layer_outputs(model, bytes({4}));
  ASSERT_EQ(outputs.size(), 4U);  // conv, pooling, dense, output
  EXPECT_EQ(outputs[1], Numbers{4});
  EXPECT_EQ(outputs[2], (Numbers{4.5, 0}));
  EXPECT_EQ(outputs[3], Numbers{1045});
}

TEST(ReferenceTest, ScoresByHand) {
  EXPECT_EQ(reference_scores(Output::none, Numbers{3, -1}), (Numbers{3, -1}));
  EXPECT_EQ(reference_scores(Output::sigmoid, Numbers{0, 1000, -1000}), (Numbers{0.5, 1, 0}));
  EXPECT_NEAR(reference_scores(Output::sigmoid, Numbers{2})[0], 0.8807970779778823, 1e-15);
  EXPECT_EQ(reference_scores(Output::softmax, Numbers{5, 5}), (Numbers{0.5, 0.5}));
  EXPECT_EQ(reference_scores(Output::softmax, Numbers{1000, 0}), (Numbers{1, 0}));  // no overflow
  EXPECT_EQ(reference_scores(Output::softmax, Numbers{-7}), Numbers{1});
  const Numbers scores = reference_scores(Output::softmax, Numbers{std::log(1.0), std::log(2.0), std::log(5.0)});
  EXPECT_NEAR(scores[0], 0.125, 1e-15);
  EXPECT_NEAR(scores[1], 0.25, 1e-15);
  EXPECT_NEAR(scores[2], 0.625, 1e-15);
}

TEST(ReferenceTest, AnInputTooShortIsATypedError) {
  const Model model = byte_value_model({1, 10, 100});
  for (const auto& input : {bytes({}), bytes({1}), bytes({1, 2})}) {
    const Error error = error_of([&] { return reference_logits(model, input); });
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.found(), std::to_string(input.size()) + " bytes");
  }
  EXPECT_EQ(reference_logits(model, bytes({1, 2, 3})), Numbers{321});
}

TEST(ReferenceTest, EqualsASlowIndependentFormulaOnRandomModelsOfEveryKind) {
  for (std::uint32_t seed = 5000; seed < 5120; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Model model = testing::with_random_weights(architecture, seed);
    std::size_t used = 0;
    for (const std::size_t length : testing::telling_lengths(architecture)) {
      if (++used % 3 != seed % 3) continue;  // a third of the lengths for each model: all of them for some
      const testing::Bytes input = testing::random_bytes(length, seed);
      const Numbers expected = testing::naive_logits(model, input);
      const Numbers found = reference_logits(model, input);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(found[i], expected[i], 1e-11 * std::max(1.0, std::abs(expected[i])))
            << "seed " << seed << ", length " << length << ": " << testing::describe(architecture);
      }
    }
  }
}

}  // namespace
}  // namespace bytecnn
