// Whole-model pickles: the modules tell what a state dict cannot.

#include "module_facts.hpp"

#include <gtest/gtest.h>

#include "checkpoint_builder.hpp"

namespace bytecnn::exporter::testing {
namespace {

using Position = BatchNormSpec::Position;
using Attributes = std::vector<std::pair<std::string, std::string>>;

constexpr const char* conv1d = "torch.nn.modules.conv.Conv1d";
constexpr const char* batch_norm1d = "torch.nn.modules.batchnorm.BatchNorm1d";
constexpr const char* linear = "torch.nn.modules.linear.Linear";
constexpr const char* relu = "torch.nn.modules.activation.ReLU";
constexpr const char* sequential = "torch.nn.modules.container.Sequential";

Attributes conv(const std::string& stride, const std::string& padding, const std::string& dilation) {
  return {{"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"groups", "1"}, {"padding_mode", "zeros"}};
}

/// The reference names, as a pickled module of its own class.
CheckpointBuilder whole(const Attributes& first, const Attributes& second, const std::string& eps = "1e-05") {
  CheckpointBuilder builder = two_layers();
  builder.module("", "__main__.Net")
      .module("embedding", "torch.nn.modules.sparse.Embedding", {{"padding_idx", "None"}});
  builder.module("conv1", conv1d, first).module("bn1", batch_norm1d, {{"eps", eps}});
  builder.module("conv2", conv1d, second).module("bn2", batch_norm1d, {{"eps", eps}});
  builder.module("classifier", linear).module("output", linear);
  return builder;
}

/// The same tensors inside nn.Sequential, with `middle` between them: (path, class) of the modules without weights.
CheckpointBuilder in_sequence(bool norm_last, const char* activation = relu) {
  CheckpointBuilder builder;
  const std::string norm = norm_last ? "2" : "1";
  const std::string act = norm_last ? "1" : "2";
  builder.embedding("emb", 256, 6).conv("features.0", 8, 6, 3).batch_norm("features." + norm, 8);
  builder.conv("features.3", 10, 8, 3).dense("head.0", 7, 10).dense("head.3", 1, 7);
  builder.module("", "net.Net").module("emb", "torch.nn.modules.sparse.Embedding", {{"padding_idx", "0"}});
  builder.module("features", sequential).module("features.0", conv1d, conv("(1,)", "(1,)", "(1,)"));
  if (norm_last) {
    builder.module("features." + act, activation).module("features." + norm, batch_norm1d, {{"eps", "0.001"}});
  } else {
    builder.module("features." + norm, batch_norm1d, {{"eps", "0.001"}}).module("features." + act, activation);
  }
  builder.module("features.3", conv1d, conv("(1,)", "(1,)", "(1,)")).module("features.4", activation);
  builder.module("head", sequential).module("head.0", linear).module("head.1", activation);
  builder.module("head.2", "torch.nn.modules.dropout.Dropout").module("head.3", linear);
  return builder;
}

TEST(Modules, GiveTheHyperparameters) {
  const Original found = whole(conv("(2,)", "(1,)", "(1,)"), conv("(1,)", "'same'", "(3,)"), "0.001").recognise();
  const auto& layers = found.architecture.conv_layers;
  EXPECT_EQ(layers[0].stride, 2U);
  EXPECT_EQ(layers[0].pad_left, 1U);
  EXPECT_EQ(layers[1].dilation, 3U);
  EXPECT_EQ(layers[1].pad_left, 3U);
  EXPECT_EQ(layers[1].pad_right, 3U);
  EXPECT_EQ(layers[0].batch_norm->eps, 1e-3);
  for (const char* key : {"stride", "padding", "dilation", "batch_norm_eps"})
    EXPECT_EQ(found.sources.at(key), "module");
  EXPECT_EQ(found.sources.at("batch_norm_position"), "default") << "forward() is not in the file";
}

TEST(Modules, ContradictedByAStatementAreAnError) {
  for (const char* statement :
       {R"({"conv_layers": [{"stride": 3}, {}]})", R"({"conv_layers": [{"padding": "valid"}, {}]})",
        R"({"conv_layers": [{"batch_norm": {"eps": 0.5}}, {}]})"}) {
    auto builder = whole(conv("(2,)", "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)"));
    EXPECT_EQ(builder.refusal(statement).code(), ErrorCode::invalid) << statement;
  }
}

TEST(Modules, OfASequentialGiveOrderAndActivation) {
  const Original before = in_sequence(false, "torch.nn.modules.activation.GELU").recognise();
  EXPECT_EQ(before.architecture.conv_layers[0].batch_norm, (BatchNormSpec{1e-3, Position::before_activation}));
  EXPECT_EQ(before.architecture.conv_layers[0].activation.kind, Activation::Kind::gelu);
  EXPECT_EQ(before.architecture.conv_layers[1].activation.kind, Activation::Kind::gelu);
  EXPECT_EQ(before.architecture.dense_layers[0].activation.kind, Activation::Kind::gelu);
  EXPECT_EQ(before.sources.at("activation"), "module");
  EXPECT_EQ(before.sources.at("batch_norm_position"), "module");
  EXPECT_EQ(before.sources.at("pad_token"), "module") << "padding_idx";
  const Original after = in_sequence(true).recognise();
  EXPECT_EQ(after.architecture.conv_layers[0].batch_norm, (BatchNormSpec{1e-3, Position::after_activation}));
}

TEST(Modules, AConvolutionThatFollowsAnotherDirectlyHasNoActivation) {
  CheckpointBuilder builder;
  builder.embedding("emb", 256, 6).conv("features.0", 8, 6, 3).conv("features.1", 8, 8, 3).dense("out", 1, 8);
  builder.module("", "net.Net")
      .module("features", sequential)
      .module("features.0", conv1d)
      .module("features.1", conv1d);
  builder.module("features.2", "torch.nn.modules.activation.LeakyReLU", {{"negative_slope", "0.2"}})
      .module("out", linear);
  const Original found = builder.recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].activation.kind, Activation::Kind::none);
  EXPECT_EQ(found.architecture.conv_layers[1].activation, (Activation{Activation::Kind::leaky_relu, 0.2F}));
}

TEST(Modules, ASequentialWithoutActivationLeavesItToForward) {
  // block = Sequential(conv, norm); forward() does relu(block(x)).
  CheckpointBuilder builder;
  builder.embedding("emb", 256, 6).conv("block.0", 8, 6, 3).batch_norm("block.1", 8).dense("out", 1, 8);
  builder.module("", "net.Net").module("block", sequential).module("block.0", conv1d);
  builder.module("block.1", batch_norm1d).module("out", linear);
  const Original found = builder.recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].activation.kind, Activation::Kind::relu);
  EXPECT_EQ(found.sources.at("activation"), "default");
  EXPECT_EQ(found.sources.at("batch_norm_position"), "default");
}

TEST(Modules, ALooseActivationIsABetterGuessThanTheDefault) {
  auto builder = whole(conv("(1,)", "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)"));
  builder.module("act", "torch.nn.modules.activation.SiLU").module("sigmoid", "torch.nn.modules.activation.Sigmoid");
  const Original found = builder.recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].activation.kind, Activation::Kind::silu);
  EXPECT_EQ(found.architecture.dense_layers[0].activation.kind, Activation::Kind::silu);
  EXPECT_EQ(found.sources.at("output"), "module");
  builder.module("other", "torch.nn.modules.activation.Tanh");
  EXPECT_EQ(builder.refusal().code(), ErrorCode::ambiguous);
}

TEST(Modules, ThatTheRuntimeCannotRunAreRefusedByName) {
  for (const char* layer :
       {"torch.nn.modules.rnn.LSTM", "torch.nn.modules.conv.Conv2d", "torch.nn.modules.conv.ConvTranspose1d",
        "torch.nn.modules.pooling.MaxPool1d", "torch.nn.modules.normalization.LayerNorm",
        "torch.nn.modules.activation.PReLU", "torch.nn.modules.activation.Hardswish"}) {
    auto builder = whole(conv("(1,)", "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)")).module("odd", layer);
    const Error error = builder.refusal();
    EXPECT_EQ(error.code(), ErrorCode::unsupported) << layer;
    EXPECT_EQ(error.where(), "module odd");
    EXPECT_EQ(error.found(), layer);
  }
}

TEST(Modules, OtherPaddingModesAreRefused) {
  auto attributes = conv("(1,)", "(1,)", "(1,)");
  attributes.back().second = "circular";
  EXPECT_EQ(whole(attributes, conv("(1,)", "(1,)", "(1,)")).refusal().code(), ErrorCode::unsupported);
}

TEST(Modules, ALossOrACustomLeafDoesNoHarmButIsMentioned) {
  auto builder = whole(conv("(1,)", "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)"));
  builder.module("criterion", "torch.nn.modules.loss.BCEWithLogitsLoss").module("pool", "net.Pool");
  static_cast<void>(builder.recognise());
  ASSERT_EQ(builder.warnings.size(), 1U);
  EXPECT_NE(builder.warnings[0].find("net.Pool"), std::string::npos);
}

TEST(Modules, GroupsThatDoNotFitTheWeightAreAnError) {
  auto attributes = conv("(1,)", "(1,)", "(1,)");
  attributes[3].second = "2";
  EXPECT_EQ(whole(attributes, conv("(1,)", "(1,)", "(1,)")).refusal().code(), ErrorCode::invalid);
}

TEST(Modules, AttributesThatAreNoNumbersAreErrors) {
  for (const char* bad : {"(1, 2)", "", "x", "-1", "99999999999", "()"}) {
    EXPECT_EQ(whole(conv(bad, "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)")).refusal().code(), ErrorCode::invalid)
        << bad;
  }
}

TEST(Modules, AdaptivePoolingTellsThePooling) {
  auto builder = whole(conv("(1,)", "(1,)", "(1,)"), conv("(1,)", "(1,)", "(1,)"));
  builder.module("pool", "torch.nn.modules.pooling.AdaptiveMaxPool1d", {{"output_size", "1"}});
  EXPECT_EQ(builder.recognise().architecture.pooling, Pooling::max);
  builder.module("pool2", "torch.nn.modules.pooling.AdaptiveAvgPool1d", {{"output_size", "4"}});
  EXPECT_EQ(builder.refusal().code(), ErrorCode::unsupported);
}

TEST(ModuleFacts, AttributesOfTheUsersOwnClassesAreHintsAndNothingMore) {
  CheckpointBuilder builder = two_layers();
  builder.module("", "__main__.Net", {{"training", "True"}, {"max_len", "64"}, {"pool_kind", "max"}});
  builder.module("block", "lib.Block", {{"kernel_size", "9"}, {"activation", "gelu"}});
  builder.module("block.drop", "torch.nn.modules.dropout.Dropout", {{"p", "0.5"}});
  EXPECT_EQ(class_hints(builder.checkpoint().modules),
            (std::vector<std::pair<std::string, std::string>>{
                {"max_len", "64"}, {"pool_kind", "max"}, {"block.kernel_size", "9"}, {"block.activation", "gelu"}}));
  const Original original = builder.recognise();
  EXPECT_EQ(original.architecture.max_len, 512U);
  EXPECT_EQ(original.architecture.pooling, Pooling::avg_max);
  EXPECT_EQ(original.sources.at("activation"), "default");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
