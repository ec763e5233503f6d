// Folding, against numbers worked out by hand.

#include <cmath>
#include <cstring>
#include <span>

#include <gtest/gtest.h>

#include "bytecnn/reference.hpp"

#include "checkpoint_builder.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// One filter on one channel, kernel 1: y = relu(bn(2 x + 3)), average over four positions, logit = 10 y.
CheckpointBuilder tiny(bool conv_bias) {
  CheckpointBuilder builder;
  std::vector<float> embedding(256, 0.0F);
  embedding['a'] = 1.0F;
  embedding['b'] = -4.0F;
  builder.add("embedding.weight", {256, 1}, embedding).add("conv1.weight", {1, 1, 1}, {2.0F});
  if (conv_bias) builder.add("conv1.bias", {1}, {3.0F});
  builder.add("bn1.weight", {1}, {6.0F}).add("bn1.bias", {1}, {-1.0F}).add("bn1.running_mean", {1}, {1.0F});
  builder.add("bn1.running_var", {1}, {8.75F});  // + eps 0.25: a standard deviation of 3
  return builder.add("output.weight", {1, 1}, {10.0F});
}

constexpr const char* statement = R"({"max_len": 4, "pad_token": null, "pooling": "avg",
                                      "conv_layers": [{"batch_norm": {"eps": 0.25, "position": "%"}}]})";

Original with_position(CheckpointBuilder builder, const std::string& position) {
  std::string text = statement;
  return builder.recognise(text.replace(text.find('%'), 1, position));
}

double logit(const Model& model, const std::string& text) {
  return reference_logits(model, std::as_bytes(std::span(text)))[0];
}

TEST(Fold, BeforeTheActivationGoesIntoTheConvolution) {
  const Model model = fold(with_position(tiny(true), "before_activation"));
  // scale = 6 / 3 = 2, shift = -1 - 1 * 2 = -3; weight 2 * 2, bias 3 * 2 - 3.
  EXPECT_FLOAT_EQ(model.weights.conv[0].weight[0], 4.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].bias[0], 3.0F);
  EXPECT_TRUE(model.weights.conv[0].scale.empty());
  EXPECT_DOUBLE_EQ(logit(model, "a"), 70.0);  // relu(4 + 3)
  EXPECT_DOUBLE_EQ(logit(model, "b"), 0.0);   // relu(-16 + 3)
}

TEST(Fold, AConvolutionWithoutBiasGetsTheShiftAsItsBias) {
  const Model model = fold(with_position(tiny(false), "before_activation"));
  EXPECT_FLOAT_EQ(model.weights.conv[0].weight[0], 4.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].bias[0], -3.0F);
}

TEST(Fold, BehindTheActivationStaysAScaleAndAShift) {
  const Model model = fold(with_position(tiny(true), "after_activation"));
  EXPECT_FLOAT_EQ(model.weights.conv[0].weight[0], 2.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].bias[0], 3.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].scale[0], 2.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].shift[0], -3.0F);
  EXPECT_DOUBLE_EQ(logit(model, "a"), 70.0);   // 2 * relu(5) - 3
  EXPECT_DOUBLE_EQ(logit(model, "b"), -30.0);  // 2 * relu(-5) - 3
}

TEST(Fold, UsesTheStatedEps) {
  auto builder = tiny(true);
  const Model model = fold(builder.recognise("{}", {.batch_norm_eps = 16.25}));  // a standard deviation of 5
  EXPECT_FLOAT_EQ(model.weights.conv[0].weight[0], 2.0F * 6 / 5);
}

TEST(Fold, WithoutAffineGammaIsOneAndBetaZero) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 1).add("conv1.weight", {1, 1, 1}, {2.0F}).add("conv1.bias", {1}, {3.0F});
  builder.add("bn1.running_mean", {1}, {1.0F})
      .add("bn1.running_var", {1}, {3.75F})
      .add("output.weight", {1, 1}, {1.0F});
  const Model model = fold(builder.recognise("{}", {.batch_norm_eps = 0.25}));
  EXPECT_FLOAT_EQ(model.weights.conv[0].weight[0], 1.0F);
  EXPECT_FLOAT_EQ(model.weights.conv[0].bias[0], 1.0F);
}

TEST(Fold, RoundsOnceFromDouble) {
  // In float32 the mean would cancel to nothing: 1e8 + 1 has no float of its own.
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 1).add("conv1.weight", {1, 1, 1}, {1.0F}).add("conv1.bias", {1}, {16777216.0F});
  builder.add("bn1.weight", {1}, {0.1F}).add("bn1.bias", {1}, {0.3F});
  builder.add("bn1.running_mean", {1}, {16777212.0F})
      .add("bn1.running_var", {1}, {0.9F})
      .add("output.weight", {1, 1}, {1.0F});
  const Model model = fold(builder.recognise());
  const double scale = static_cast<double>(0.1F) / std::sqrt(static_cast<double>(0.9F) + 1e-5);
  EXPECT_EQ(model.weights.conv[0].weight[0], static_cast<float>(scale));
  const double bias = 4.0 * scale + static_cast<double>(0.3F);
  EXPECT_NEAR(static_cast<double>(model.weights.conv[0].bias[0]), bias, std::fabs(bias) * 1e-7);
}

TEST(Fold, BeyondFloatIsAnErrorThatNamesTheChannel) {
  auto builder = two_layers();
  std::vector<float> gamma(8, 1.0F);
  gamma[5] = 3e38F;
  std::vector<float> weight(8 * 6 * 3, 100.0F);
  builder.remove("bn1.weight")
      .add("bn1.weight", {8}, gamma)
      .remove("conv1.weight")
      .add("conv1.weight", {8, 6, 3}, weight);
  try {
    static_cast<void>(fold(builder.recognise()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_NE(error.where().find("conv1"), std::string::npos) << error.what();
    EXPECT_NE(error.where().find("channel 5"), std::string::npos) << error.what();
  }
}

TEST(Fold, ADeadChannelWithVarianceZeroIsFine) {
  auto builder = two_layers();
  builder.remove("bn1.running_var").add("bn1.running_var", {8}, std::vector<float>(8, 0.0F));
  EXPECT_NO_THROW(static_cast<void>(fold(builder.recognise())));
}

TEST(Fold, ADoubleBeyondFloatIsAnError) {
  auto builder = two_layers();
  builder.remove("output.weight");
  builder.add_raw("output.weight", {1, 7}, DType::f64);
  const double huge = 1e300;
  std::memcpy(builder.checkpoint().tensors.back().tensor.data.data(), &huge, sizeof huge);
  EXPECT_THROW(static_cast<void>(fold(builder.recognise())), Error);
}

TEST(WeightNorm, IsResolvedInBothSpellings) {
  for (const bool old : {true, false}) {
    CheckpointBuilder builder;
    builder.embedding("embedding", 256, 1);
    builder.add(old ? "conv1.weight_g" : "conv1.parametrizations.weight.original0", {2, 1, 1}, {10.0F, 1.0F});
    builder.add(old ? "conv1.weight_v" : "conv1.parametrizations.weight.original1", {2, 1, 2},
                {3.0F, 4.0F, 0.0F, -2.0F});
    builder.add("conv1.bias", {2}).dense("output", 1, 2);
    const Original found = builder.recognise();
    EXPECT_EQ(found.conv[0].weight, (std::vector<double>{6.0, 8.0, 0.0, -1.0})) << "old spelling: " << old;
  }
}

TEST(WeightNorm, HalfOfItOrOfLengthZeroIsAnError) {
  CheckpointBuilder half;
  half.embedding("embedding", 256, 1).add("conv1.weight_v", {2, 1, 2}).dense("output", 1, 2);
  EXPECT_EQ(half.refusal().code(), ErrorCode::invalid);
  CheckpointBuilder zero;
  zero.embedding("embedding", 256, 1).add("conv1.weight_g", {1, 1, 1}, {1.0F});
  zero.add("conv1.weight_v", {1, 1, 2}, {0.0F, 0.0F}).dense("output", 1, 1);
  EXPECT_EQ(zero.refusal().code(), ErrorCode::invalid);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
