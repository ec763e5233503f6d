// What is not understood is refused by name, never dropped and never guessed.

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "checkpoint_builder.hpp"

namespace bytecnn::exporter::testing {
namespace {

void expect_refused(CheckpointBuilder builder, ErrorCode code, const std::string& where) {
  const Error error = builder.refusal();
  EXPECT_EQ(error.code(), code) << error.what();
  EXPECT_EQ(error.where(), where) << error.what();
}

TEST(Refusal, AnUnknownTensorIsNamed) {
  expect_refused(two_layers().add("lstm.weight_ih_l0", {8, 8}), ErrorCode::unsupported, "lstm.weight_ih_l0");
  expect_refused(two_layers().add("attn.in_proj_weight", {12, 4}), ErrorCode::unsupported, "attn.in_proj_weight");
  expect_refused(two_layers().add("alpha", {1}), ErrorCode::unsupported, "alpha");
}

TEST(Refusal, AnExtraLayerIsNamed) {
  expect_refused(two_layers().dense("extra", 3, 99), ErrorCode::invalid, "extra.weight");
  expect_refused(two_layers().conv("blocks.0.shortcut", 10, 10, 1), ErrorCode::unsupported, "blocks.0.shortcut.weight");
  expect_refused(two_layers().embedding("position_embedding", 512, 6), ErrorCode::unsupported,
                 "position_embedding.weight");
  expect_refused(two_layers().add("norm.weight", {10}).add("norm.bias", {10}), ErrorCode::unsupported, "norm.weight");
  expect_refused(two_layers().batch_norm("bn3", 10), ErrorCode::unsupported, "bn3.running_mean");
  expect_refused(two_layers().batch_norm("bn_fc", 7), ErrorCode::unsupported, "bn_fc.running_mean");
}

TEST(Refusal, TwoEmbeddingsAreAmbiguous) {
  EXPECT_EQ(two_layers().embedding("embedding2", 256, 6).refusal().code(), ErrorCode::ambiguous);
}

TEST(Refusal, ALayerOfAnotherKindIsNamed) {
  auto conv2d = two_layers().remove("conv1.weight").add("conv1.weight", {8, 6, 3, 3});
  expect_refused(conv2d, ErrorCode::unsupported, "conv1.weight");
}

TEST(Refusal, TypesThatAreNoNumbersOfAModel) {
  for (const DType dtype : {DType::i32, DType::i64, DType::u8, DType::boolean}) {
    auto builder = two_layers().remove("conv1.weight").add_raw("conv1.weight", {8, 6, 3}, dtype);
    expect_refused(builder, ErrorCode::invalid, "conv1.weight");
  }
  auto quantised =
      two_layers().remove("conv1.weight").unreadable("conv1.weight", "quantised tensors are not supported");
  const Error error = quantised.refusal();
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_NE(std::string(error.what()).find("quantised"), std::string::npos);
}

TEST(Refusal, NumbersThatAreNotFinite) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> values(48, 0.5F);
    values[17] = bad;
    auto builder = two_layers().remove("classifier.weight").add("classifier.weight", {7, 10}, [&] {
      std::vector<float> all(70, 0.5F);
      all[17] = bad;
      return all;
    }());
    const Error error = builder.refusal();
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.where(), "classifier.weight");
    EXPECT_NE(error.found().find("element 17"), std::string::npos) << error.found();
  }
}

TEST(Refusal, BatchNormsThatCannotBe) {
  expect_refused(two_layers().remove("bn1.running_var"), ErrorCode::invalid, "bn1.running_mean");
  expect_refused(two_layers().remove("bn1.running_mean"), ErrorCode::invalid, "bn1.running_var");
  expect_refused(two_layers().remove("bn1.bias"), ErrorCode::invalid, "bn1.weight");
  std::vector<float> variance(8, 1.0F);
  variance[3] = -1e-7F;
  expect_refused(two_layers().remove("bn1.running_var").add("bn1.running_var", {8}, variance), ErrorCode::invalid,
                 "bn1.running_var");
}

TEST(Refusal, WrongLengths) {
  expect_refused(two_layers().remove("bn1.weight").add("bn1.weight", {7}), ErrorCode::invalid, "bn1.weight");
  expect_refused(two_layers().remove("conv1.bias").add("conv1.bias", {1}), ErrorCode::invalid, "conv1.bias");
  expect_refused(two_layers().remove("conv2.weight").add("conv2.weight", {10, 5, 3}), ErrorCode::invalid,
                 "conv2.weight");
  expect_refused(two_layers().remove("classifier.weight").add("classifier.weight", {7, 11}), ErrorCode::invalid,
                 "classifier.weight");
  expect_refused(two_layers().remove("output.bias").add("output.bias", {2}), ErrorCode::invalid, "output.bias");
}

TEST(Refusal, AFlattenedFeatureMapIsUnsupported) {
  auto builder = two_layers().remove("classifier.weight").add("classifier.weight", {7, 640});
  expect_refused(builder, ErrorCode::unsupported, "classifier.weight");
}

TEST(Refusal, SizesOfZero) {
  expect_refused(two_layers().remove("embedding.weight").add("embedding.weight", {256, 0}), ErrorCode::invalid,
                 "embedding.weight");
}

TEST(Refusal, AVocabularyThatDoesNotHoldEveryByte) {
  expect_refused(two_layers().remove("embedding.weight").add("embedding.weight", {100, 6}), ErrorCode::invalid,
                 "embedding.weight");
}

TEST(Refusal, MissingLayers) {
  EXPECT_EQ(two_layers().remove("embedding.weight").refusal().code(), ErrorCode::invalid);
  EXPECT_EQ(CheckpointBuilder().embedding("embedding", 256, 6).dense("output", 1, 6).refusal().code(),
            ErrorCode::unsupported);
  auto headless = two_layers().remove("classifier.weight").remove("classifier.bias").remove("output.weight");
  EXPECT_EQ(headless.remove("output.bias").refusal().code(), ErrorCode::invalid);
  EXPECT_EQ(two_layers().remove("conv1.weight").refusal().where(), "conv1.bias");
}

TEST(Refusal, ALoneHiddenLayerMayBeAHeadThatLostItsOutput) {
  auto builder = two_layers().remove("output.weight").remove("output.bias");
  const Error error = builder.refusal();
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_EQ(error.where(), "classifier.weight");
  EXPECT_NE(error.message().find("outputs"), std::string::npos) << "the message says what settles it";
  EXPECT_EQ(builder.recognise(R"({"outputs": 7})").architecture.outputs, 7U);
  EXPECT_EQ(builder.recognise("{}", {.labels = 7}).architecture.outputs, 7U);
  EXPECT_EQ(builder.recognise(R"({"dense_layers": []})").architecture.output, Output::softmax);
}

TEST(Refusal, ParallelBranchesAreNotAChain) {
  CheckpointBuilder branches;
  branches.embedding("embedding", 256, 6).conv("convs.0", 5, 6, 3).conv("convs.1", 5, 6, 4).conv("convs.2", 5, 6, 5);
  EXPECT_EQ(branches.dense("fc", 2, 15).refusal().code(), ErrorCode::unsupported);
  // Equal widths: a chain of three with a joined pooling has the same shapes.
  CheckpointBuilder either;
  either.embedding("embedding", 256, 6).conv("convs.0", 6, 6, 3).conv("convs.1", 6, 6, 4).conv("convs.2", 6, 6, 5);
  either.dense("fc", 2, 18);
  const Error error = either.refusal();
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_NE(error.message().find("--pooling"), std::string::npos);
  EXPECT_EQ(either.recognise(R"({"pooling": "concat_avg_max_std"})").architecture.conv_layers.size(), 3U);
}

TEST(Refusal, AResidualNameWantsAStatement) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 8).conv("res_blocks.0", 8, 8, 3).dense("output", 1, 8);
  EXPECT_EQ(builder.refusal().code(), ErrorCode::ambiguous);
  EXPECT_TRUE(builder.recognise(R"({"conv_layers": [{"residual": true}]})").architecture.conv_layers[0].residual);
  EXPECT_FALSE(builder.recognise(R"({"conv_layers": [{"residual": false}]})").architecture.conv_layers[0].residual);
}

TEST(Refusal, GroupsAreReadFromShapesOnlyWhereTheNamesFormARow) {
  CheckpointBuilder row;
  row.embedding("embedding", 256, 8).conv("conv1", 16, 4, 3).conv("conv2", 12, 4, 3).dense("output", 1, 12);
  const Architecture found = row.recognise().architecture;
  EXPECT_EQ(found.conv_layers[0].groups, 2U);
  EXPECT_EQ(found.conv_layers[1].groups, 4U);
  CheckpointBuilder odd;
  odd.embedding("embedding", 256, 8).conv("main", 16, 8, 3).conv("side", 16, 8, 3).dense("output", 1, 16);
  EXPECT_EQ(odd.refusal().code(), ErrorCode::ambiguous);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
