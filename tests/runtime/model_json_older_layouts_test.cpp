// Files of the older layouts: flat, with batch norm unfolded, and PinyByteCNN's nested one without "format".

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::contains;
using testing::describe;
using testing::error_of;
using testing::Json;

Model parse(const Json& document) {
  return parse_model(document.dump());
}

/// Flat, one filter that sees one byte value, batch norm by hand: 3 / sqrt(3 + 1) = 1.5 and 1 - 2 * 1.5 = -2.
Json flat_with_batch_norm() {
  Json flat = testing::flat_layout(testing::byte_value_model());
  flat["conv1_weight"] = {{{2.0}}};
  flat["conv1_bias"] = {10.0};
  flat["bn1_weight"] = {3.0};
  flat["bn1_bias"] = {1.0};
  flat["bn1_running_mean"] = {2.0};
  flat["bn1_running_var"] = {3.0};
  flat["architecture"] = {{"conv_layers", {{{"batch_norm", {{"eps", 1.0}}}}}}};
  return flat;
}

TEST(OlderLayoutTest, AFlatFileGetsTheDefaults) {
  const Model original = testing::small_model();
  const Model model = parse(testing::flat_layout(original));
  EXPECT_EQ(model.architecture, original.architecture);  // small_model is what the defaults describe
  EXPECT_EQ(model.weights.embedding, original.weights.embedding);
  EXPECT_EQ(model.weights.conv[0].weight, original.weights.conv[0].weight);
  EXPECT_EQ(model.weights.output.weight, original.weights.output.weight);
  EXPECT_EQ(model.info.name, "small");
}

TEST(OlderLayoutTest, MaxSeqLenIsTheLength) {
  Json flat = testing::flat_layout(testing::small_model());
  flat["model_info"]["max_seq_len"] = 77;
  EXPECT_EQ(parse(flat).architecture.max_len, 77U);
  flat["architecture"] = {{"max_len", 77}};
  EXPECT_EQ(parse(flat).architecture.max_len, 77U);
  flat["model_info"].erase("max_seq_len");
  flat.erase("architecture");
  EXPECT_EQ(parse(flat).architecture.max_len, 512U);
}

TEST(OlderLayoutTest, MaxSeqLenAgainstMaxLenIsAContradiction) {
  Json flat = testing::flat_layout(testing::small_model());
  flat["architecture"] = {{"max_len", 9}};
  const Error error = error_of([&] { return parse(flat); });
  EXPECT_EQ(error.where(), "/model_info/max_seq_len");
  EXPECT_EQ(error.found(), "8");
  flat["model_info"]["max_seq_len"] = 0;
  EXPECT_EQ(error_of([&] { return parse(flat); }).where(), "/model_info/max_seq_len");
}

TEST(OlderLayoutTest, ALengthChangedAfterLoadingCanBeSavedAndLoaded) {
  Model model = parse(testing::flat_layout(testing::small_model()));
  model.architecture.max_len = 99;
  EXPECT_EQ(parse_model(to_json(model)).architecture.max_len, 99U);
}

TEST(OlderLayoutTest, UnfoldedBatchNormIsFoldedBeforeTheActivationByDefault) {
  const Model model = parse(flat_with_batch_norm());
  EXPECT_EQ(model.weights.conv[0].weight, std::vector<float>{3.0F});  // 2 * 1.5
  EXPECT_EQ(model.weights.conv[0].bias, std::vector<float>{13.0F});   // 10 * 1.5 - 2
  EXPECT_TRUE(model.weights.conv[0].scale.empty());
  EXPECT_FALSE(model.architecture.conv_layers[0].batch_norm.has_value());
}

TEST(OlderLayoutTest, UnfoldedBatchNormAfterTheActivationBecomesScaleAndShift) {
  const Json flat =
      testing::changed(flat_with_batch_norm(), "/architecture/conv_layers/0/batch_norm/position", "after_activation");
  const Model model = parse(flat);
  EXPECT_EQ(model.weights.conv[0].weight, std::vector<float>{2.0F});
  EXPECT_EQ(model.weights.conv[0].bias, std::vector<float>{10.0F});
  EXPECT_EQ(model.weights.conv[0].scale, std::vector<float>{1.5F});
  EXPECT_EQ(model.weights.conv[0].shift, std::vector<float>{-2.0F});
  EXPECT_EQ(model.architecture.conv_layers[0].batch_norm,
            (BatchNormSpec{1.0, BatchNormSpec::Position::after_activation}));
}

TEST(OlderLayoutTest, BatchNormWithoutAffineHasGammaOneAndBetaZero) {
  Json flat = flat_with_batch_norm();
  flat.erase("bn1_weight");
  flat.erase("bn1_bias");
  const Model model = parse(flat);
  EXPECT_EQ(model.weights.conv[0].weight, std::vector<float>{1.0F});  // 2 / sqrt(3 + 1)
  EXPECT_EQ(model.weights.conv[0].bias, std::vector<float>{4.0F});    // (10 - 2) / 2
}

TEST(OlderLayoutTest, EpsIsOneHundredThousandthWhereNothingIsStated) {
  Json flat = flat_with_batch_norm();
  flat.erase("architecture");
  flat["bn1_running_var"] = {0.0};
  const double scale = 3 / std::sqrt(1e-5);
  EXPECT_EQ(parse(flat).weights.conv[0].weight[0], static_cast<float>(2 * scale));
}

TEST(OlderLayoutTest, MissingBiasesAreZeros) {
  Json flat = testing::flat_layout(testing::small_model());
  for (const char* name : {"conv1_bias", "classifier_bias", "output_bias"}) flat.erase(name);
  const Model model = parse(flat);
  EXPECT_EQ(model.weights.conv[0].bias, std::vector<float>(3, 0.0F));
  EXPECT_EQ(model.weights.dense[0].bias, std::vector<float>(4, 0.0F));
  EXPECT_EQ(model.weights.output.bias, std::vector<float>(1, 0.0F));
}

TEST(OlderLayoutTest, TheCurrentFormatLeavesNoBiasToChance) {
  for (const char* name : {"conv1_bias", "classifier_bias", "output_bias"}) {
    const Json document = testing::without(testing::document_of(testing::small_model()), "/weights", name);
    const Error error = error_of([&] { return parse(document); });
    EXPECT_EQ(error.where(), "/weights") << describe(error);
    EXPECT_TRUE(contains(error.expected(), name)) << describe(error);
  }
}

/// PinyByteCNN's exporter: model_info, weights and architecture, without "format".
Json pinybytecnn() {
  const Json ours = testing::document_of(testing::small_model());
  return {{"model_info", {{"name", "ByteCNN-10K"}, {"version", "1.0.0"}, {"parameters", 10009}, {"accuracy", 0.7897}}},
          {"weights", ours.at("weights")},
          {"architecture",
           {{"vocab_size", 256},
            {"embed_dim", 2},
            {"conv_filters", 3},
            {"kernel_size", 3},
            {"dense_dim", 4},
            {"max_len", 8}}}};
}

TEST(PinyByteCnnLayoutTest, LoadsAsItIs) {
  const Model model = parse(pinybytecnn());
  EXPECT_EQ(model.architecture, testing::small_model().architecture);
  EXPECT_EQ(model.info.name, "ByteCNN-10K");
  EXPECT_EQ(model.info.parameters, 10009U);
}

TEST(PinyByteCnnLayoutTest, TheHeadMayBeCalledFc1AndFc2) {
  Json document = pinybytecnn();
  Json& weights = document["weights"];
  for (const auto& [from, to] : {std::pair{"classifier", "fc1"}, std::pair{"output", "fc2"}}) {
    for (const char* part : {"_weight", "_bias"}) {
      weights[std::string(to) + part] = weights[std::string(from) + part];
      weights.erase(std::string(from) + part);
    }
  }
  document["architecture"].erase("dense_dim");
  document["architecture"]["hidden_dim"] = 4;
  const Model model = parse(document);
  EXPECT_EQ(model.architecture, testing::small_model().architecture);
  EXPECT_EQ(model.weights.dense[0].weight, testing::small_model().weights.dense[0].weight);
  EXPECT_EQ(model.weights.output.weight, testing::small_model().weights.output.weight);
}

TEST(PinyByteCnnLayoutTest, MaxLenNullIsNotStated) {
  Json document = pinybytecnn();
  document["architecture"]["max_len"] = nullptr;
  EXPECT_EQ(parse(document).architecture.max_len, 512U);
}

TEST(PinyByteCnnLayoutTest, ItsFlatKeysAreHeldAgainstTheWeights) {
  for (const char* key : {"vocab_size", "embed_dim", "conv_filters", "kernel_size", "dense_dim"}) {
    const std::string pointer = std::string("/architecture/") + key;
    const Error error = error_of([&] { return parse(testing::changed(pinybytecnn(), pointer, 300)); });
    EXPECT_EQ(error.where(), pointer) << describe(error);
    EXPECT_EQ(error.found(), "300");
  }
}

TEST(OlderLayoutTest, WhateverWasReadIsWrittenInTheCurrentFormat) {
  for (const Json& older : {testing::flat_layout(testing::small_model()), flat_with_batch_norm(), pinybytecnn()}) {
    const Model model = parse(older);
    const Json document = testing::document_of(model);
    EXPECT_EQ(document.at("format"), "bytecnn");
    EXPECT_EQ(parse(document).architecture, model.architecture);
  }
}

TEST(OlderLayoutTest, BatchNormThatCannotBeFoldedIsRefusedWithItsPlace) {
  struct Case {
    const char* pointer;
    Json value;
    const char* where;
  };
  for (const Case& c :
       {Case{"/bn1_running_var/0", -1.0, "/bn1_running_var"}, Case{"/bn1_running_var", {1.0, 2.0}, "/bn1_running_var"},
        Case{"/bn1_weight/0", 3e38, "/bn1"}, Case{"/bn1_bias/0", "x", "/bn1_bias/0"}}) {
    const Error error = error_of([&] { return parse(testing::changed(flat_with_batch_norm(), c.pointer, c.value)); });
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_TRUE(error.where().starts_with(c.where)) << describe(error);
  }
}

TEST(OlderLayoutTest, ContradictingBatchNormIsRefused) {
  Json both = flat_with_batch_norm();
  both["conv1_scale"] = {1.0};
  both["conv1_shift"] = {0.0};
  EXPECT_TRUE(contains(error_of([&] { return parse(both); }).what(), "conv1_scale"));

  Json scaled = testing::flat_layout(testing::byte_value_model());
  scaled["conv1_scale"] = {1.0};
  scaled["conv1_shift"] = {0.0};
  EXPECT_NO_THROW(parse(scaled));
  scaled["architecture"] = {{"conv_layers", {{{"batch_norm", {{"position", "before_activation"}}}}}}};
  EXPECT_TRUE(contains(error_of([&] { return parse(scaled); }).what(), "before the activation"));

  Json stated = testing::flat_layout(testing::byte_value_model());
  stated["architecture"] = {{"conv_layers", {{{"batch_norm", {{"eps", 1e-3}}}}}}};
  const Error without_weights = error_of([&] { return parse(stated); });
  EXPECT_EQ(without_weights.where(), "/architecture/conv_layers/0/batch_norm") << describe(without_weights);

  Json denied = flat_with_batch_norm();
  denied["architecture"] = {{"conv_layers", {{{"batch_norm", nullptr}}}}};
  const Error with_weights = error_of([&] { return parse(denied); });
  EXPECT_EQ(with_weights.where(), "/architecture/conv_layers/0/batch_norm") << describe(with_weights);
}

TEST(OlderLayoutTest, HalfABatchNormIsRefused) {
  for (const char* missing : {"bn1_running_mean", "bn1_running_var"}) {
    Json flat = flat_with_batch_norm();
    flat.erase(missing);
    const Error error = error_of([&] { return parse(flat); });
    EXPECT_TRUE(contains(error.expected(), missing)) << describe(error);
  }
  Json only_affine = flat_with_batch_norm();
  only_affine.erase("bn1_running_mean");
  only_affine.erase("bn1_running_var");
  only_affine.erase("architecture");
  EXPECT_TRUE(contains(error_of([&] { return parse(only_affine); }).what(), "bn1_weight"));
}

}  // namespace
}  // namespace bytecnn
