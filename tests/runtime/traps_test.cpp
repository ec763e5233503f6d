// The traps that earlier implementations of byte CNNs fell into, one test each, on every instruction set. Each expects
// a number computed by hand that differs from what falling into the trap would give.

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::byte_value_model;
using testing::Bytes;
using testing::bytes;
using testing::Json;
using testing::with_plain_head;
using Logits = std::vector<float>;
using Position = BatchNormSpec::Position;

class TrapsTest : public ::testing::TestWithParam<Isa> {
 protected:
  static Logits logits(const Model& model, const Bytes& input) {
    return testing::engine_logits(model, input, GetParam());
  }
  static float logit(const Model& model, const Bytes& input) { return logits(model, input).front(); }
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, TrapsTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(TrapsTest, MaxOnlyPoolingIsNotAvgMax) {
  Model model = byte_value_model();
  const Bytes input = bytes({1, 2, 9});
  EXPECT_FLOAT_EQ(logit(model, input), 9);
  model.architecture.pooling = Pooling::avg_max;
  EXPECT_FLOAT_EQ(logit(model, input), 6.5);
}

TEST_P(TrapsTest, PaddingToMaxLenMatters) {
  Model model = byte_value_model({1}, 8);
  model.architecture.pooling = Pooling::concat_avg_max;
  model = with_plain_head(model);
  EXPECT_EQ(logits(model, bytes({2, 4})), (Logits{3, 4}));
  // The pad token's embedding is not zero: with E = 10 for it, both the average and the maximum change.
  model.architecture.pad_token = 10;
  EXPECT_EQ(logits(model, bytes({2, 4})), (Logits{8.25F, 10}));  // (2 + 4 + 6 * 10) / 8
}

TEST_P(TrapsTest, ZeroPaddingOfTheConvolutionStandsAtTheEndOfThePaddedInputNotOfTheText) {
  Model model = byte_value_model({1, 10}, 4);
  model.architecture.conv_layers[0].pad_right = 1;
  model.architecture.pooling = Pooling::avg;
  model.architecture.pad_token = 5;
  // 1 2 5 5 and then 0: 21, 52, 55, 5. Zeros right after the text would give 21, 2, ...
  EXPECT_FLOAT_EQ(logit(model, bytes({1, 2})), (21 + 52 + 55 + 5) / 4.0F);
}

/// A flat older file: y = bn(relu or none (x)), one channel, by hand scale 1.5 and shift -2 (running mean 2).
Model with_batch_norm(const char* position, float gamma = 3, const char* activation = "relu") {
  Json flat = testing::flat_layout(byte_value_model());
  flat["bn1_weight"] = {gamma};
  flat["bn1_bias"] = {1.0};
  flat["bn1_running_mean"] = {2.0};
  flat["bn1_running_var"] = {3.0};
  const Json layer = {{"activation", activation}, {"batch_norm", {{"eps", 1.0}, {"position", position}}}};
  flat["architecture"] = {{"conv_layers", {layer}}, {"pooling", "max"}, {"output", "none"}, {"pad_token", nullptr}};
  return parse_model(flat.dump());
}

TEST_P(TrapsTest, BatchNormUsesTheRunningMean) {
  EXPECT_FLOAT_EQ(logit(with_batch_norm("before_activation"), bytes({8})), 10);  // 1.5 * 8 - 2; without the mean 13
}

TEST_P(TrapsTest, FoldedMeansFoldedNotDropped) {
  EXPECT_NE(logit(with_batch_norm("before_activation"), bytes({8})), logit(byte_value_model(), bytes({8})));
}

TEST_P(TrapsTest, BatchNormAfterReluIsNotFoldedBackwards) {
  // Byte 0: after relu the shift is still there, -2. Folded backwards relu(1.5 * 0 - 2) would give 0.
  EXPECT_FLOAT_EQ(logit(with_batch_norm("after_activation"), bytes({0})), -2);
  EXPECT_FLOAT_EQ(logit(with_batch_norm("before_activation"), bytes({0})), 0);
  // A negative gamma turns the order of positions round: the maximum is the smaller byte's.
  EXPECT_FLOAT_EQ(logit(with_batch_norm("after_activation", -3), bytes({1, 8})), 2.5);  // -1.5 * 1 + 1 + 1.5 * 2
}

TEST_P(TrapsTest, BiasFreeConvolutionsFoldRightly) {
  Json flat = testing::flat_layout(byte_value_model());
  flat.erase("conv1_bias");
  flat["bn1_running_mean"] = {4.0};
  flat["bn1_running_var"] = {3.0};
  flat["architecture"] = {{"conv_layers", {{{"activation", "none"}, {"batch_norm", {{"eps", 1.0}}}}}},
                          {"pooling", "max"},
                          {"output", "none"},
                          {"pad_token", nullptr}};
  EXPECT_FLOAT_EQ(logit(parse_model(flat.dump()), bytes({10})), 3);  // (10 - 4) / 2
}

TEST_P(TrapsTest, EpsComesFromTheFileNotFromHabit) {
  const Model model = with_batch_norm("before_activation", 3, "none");
  // eps 1.0 gives sqrt(3 + 1); the habitual 1e-5 would give sqrt(3).
  EXPECT_FLOAT_EQ(logit(model, bytes({8})), 1.5F * 8 - 2);
  EXPECT_GT(std::abs(3 / std::sqrt(3.00001F) * (8 - 2) + 1 - 10), 1);
}

TEST_P(TrapsTest, SamePaddingOfAnEvenKernelHasItsOddColumnOnTheRight) {
  Json document = testing::document_of(byte_value_model({1, 10}));
  document["architecture"]["conv_layers"][0]["padding"] = "same";
  document["architecture"]["pooling"] = "concat_avg_max";
  Model model = byte_value_model({1, 10});
  model.architecture.pooling = Pooling::concat_avg_max;
  document["weights"]["output_weight"] = {{1.0, 0.0}, {0.0, 1.0}};
  document["weights"]["output_bias"] = {0.0, 0.0};
  // 21, 32, 3; with the column on the left it would be 10, 21, 32.
  EXPECT_EQ(logits(parse_model(document.dump()), bytes({1, 2, 3})), (Logits{56.0F / 3, 32}));
}

TEST_P(TrapsTest, AnEmptyInputIsAnInput) {
  const Model model = testing::rich_model();
  const Classifier classifier(model, GetParam());
  EXPECT_EQ(classifier.classify("").status, Status::ok);
  EXPECT_EQ(classifier.classify(std::span<const std::byte>()).status, Status::ok);
  EXPECT_EQ(classifier.classify(std::string_view()).status, Status::ok);
  // It is max_len pad tokens and nothing else.
  EXPECT_EQ(logits(model, {}), logits(model, Bytes(8, std::byte{0})));
  EXPECT_LE(testing::logit_error(classifier, {}), 1e-5);
}

TEST_P(TrapsTest, BytesOf128AndAboveAreNotNegative) {
  EXPECT_FLOAT_EQ(logit(byte_value_model(), bytes({255})), 255);
  EXPECT_FLOAT_EQ(logit(byte_value_model(), bytes({128, 127})), 128);
}

TEST_P(TrapsTest, EveryWeightInTheFileCounts) {
  // Only conv1 read, the rest left at something: no array may be without influence.
  const Model model = testing::rich_model();
  const Bytes input = testing::bytes_of("some");
  const Logits before = logits(model, input);
  const Json document = testing::document_of(model);
  std::size_t arrays = 0;
  for (const auto& [name, array] : document.at("weights").items()) {
    Json halved = document;
    // Every number of the array, so that a unit that relu silences does not hide it.
    const auto change = [](auto& self, Json& level) -> void {
      if (level.is_number())
        level = level.get<double>() * 0.5 + 0.25;
      else
        for (Json& inner : level) self(self, inner);
    };
    change(change, halved["weights"][name]);
    EXPECT_NE(logits(parse_model(halved.dump()), input), before) << name;
    ++arrays;
  }
  EXPECT_EQ(arrays, 11U);
}

TEST_P(TrapsTest, ALayerThatIsNotUnderstoodIsNotLostWithoutAWord) {
  Json document = testing::document_of(testing::rich_model());
  document["weights"]["conv4_weight"] = document["weights"]["conv2_weight"];  // conv3 is missing
  EXPECT_EQ(testing::error_of([&] { return parse_model(document.dump()); }).code(), ErrorCode::invalid);
}

TEST_P(TrapsTest, WhatTheWriterWritesTheRuntimeLoadsAndItSaysTheSame) {
  for (std::uint32_t seed = 300; seed < 330; ++seed) {
    const Model model = testing::with_random_weights(testing::random_architecture(seed), seed);
    const Bytes input = testing::random_bytes(30, seed);
    EXPECT_EQ(logits(parse_model(to_json(model)), input), logits(model, input)) << seed;
  }
}

TEST_P(TrapsTest, LongInputsAreCutAndTheRestIsNeverRead) {
  Model model = byte_value_model({1}, 4);
  EXPECT_FLOAT_EQ(logit(model, bytes({1, 2, 3, 4, 200, 255})), 4);
  model.architecture.pad_token = 0;
  EXPECT_FLOAT_EQ(logit(model, bytes({1, 2, 3, 4, 200, 255})), 4);
}

TEST_P(TrapsTest, LogitsTellApartWhatProbabilitiesCannot) {
  Model one = byte_value_model();
  one.architecture.output = Output::sigmoid;
  Model other = one;
  one.weights.output.bias = {100};
  other.weights.output.bias = {150};
  const Classifier a(one, GetParam());
  const Classifier b(other, GetParam());
  EXPECT_EQ(a.classify("x").score, b.classify("x").score);  // both 1: a comparison of probabilities passes
  EXPECT_EQ(logit(other, bytes({7})) - logit(one, bytes({7})), 50);
}

TEST_P(TrapsTest, AToleranceRelativeToALogitNearZeroWouldBeMeaningless) {
  // 255 * 1000 - 255000 = 0: the error is held against S = max(1, |logits|), never against the logit alone.
  Model model = byte_value_model({1000});
  model.weights.output.bias = {-255000};
  EXPECT_EQ(reference_logits(model, bytes({255})).front(), 0);
  const double error = testing::logit_error(Classifier(model, GetParam()), bytes({255}));
  EXPECT_TRUE(std::isfinite(error));
  EXPECT_LE(error, 1e-5);
}

TEST_P(TrapsTest, ACheckThatCannotFailIsNone) {
  // The measure that all engine tests go by does see a wrong engine: a classifier of another model.
  const Model model = testing::rich_model();
  const Bytes input = testing::bytes_of("some");
  const std::vector<double> expected = reference_logits(model, input);
  Model wrong = model;
  wrong.weights.output.bias[1] += 1e-3F;
  const Logits found = logits(wrong, input);
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  EXPECT_GT(worst, 1e-4);
}

}  // namespace
}  // namespace bytecnn
