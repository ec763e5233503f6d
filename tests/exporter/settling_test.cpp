// What shapes leave open: statement, flags, the gaps of nn.Sequential, defaults; and contradictions.

#include <gtest/gtest.h>

#include "checkpoint_builder.hpp"

namespace bytecnn::exporter::testing {
namespace {

using Position = BatchNormSpec::Position;

CheckpointBuilder sequential(int conv2, int norm1, int norm2) {
  CheckpointBuilder builder;
  builder.embedding("emb", 256, 6).conv("features.0", 8, 6, 3).batch_norm("features." + std::to_string(norm1), 8);
  builder.conv("features." + std::to_string(conv2), 10, 8, 3).batch_norm("features." + std::to_string(norm2), 10);
  builder.dense("head.0", 7, 10).dense("head.3", 1, 7);
  return builder;
}

TEST(Defaults, AreThoseOfTheFormatAndAreRecorded) {
  const Original found = two_layers().recognise();
  const Architecture& architecture = found.architecture;
  EXPECT_EQ(architecture.pooling, Pooling::avg_max);
  EXPECT_EQ(architecture.max_len, 512U);
  EXPECT_EQ(architecture.pad_token, 0U);
  EXPECT_EQ(architecture.output, Output::sigmoid);
  for (const ConvLayer& layer : architecture.conv_layers) {
    EXPECT_EQ(layer.activation.kind, Activation::Kind::relu);
    EXPECT_EQ(layer.pad_left, 1U);
    EXPECT_EQ(layer.pad_right, 1U);
    EXPECT_EQ(layer.stride, 1U);
    EXPECT_EQ(layer.batch_norm, (BatchNormSpec{1e-5, Position::before_activation}));
  }
  for (const char* key : {"pooling", "max_len", "pad_token", "output", "padding", "stride", "dilation", "activation",
                          "residual", "batch_norm_eps", "batch_norm_position", "dense_activation"}) {
    ASSERT_TRUE(found.sources.contains(key)) << key;
    EXPECT_EQ(found.sources.at(key), "default") << key;
  }
}

TEST(Defaults, SoftmaxForSeveralOutputs) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).dense("output", 5, 8);
  EXPECT_EQ(builder.recognise().architecture.output, Output::softmax);
}

TEST(Defaults, SamePaddingOfAnEvenKernelHasItsExtraZeroOnTheRight) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 4).dense("output", 1, 8);
  const ConvLayer layer = builder.recognise().architecture.conv_layers[0];
  EXPECT_EQ(layer.pad_left, 1U);
  EXPECT_EQ(layer.pad_right, 2U);
}

TEST(Defaults, AVocabularyOf257WarnsAboutItsPadToken) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 257, 6).conv("conv1", 8, 6, 3).dense("output", 1, 8);
  EXPECT_EQ(builder.recognise().architecture.pad_token, 0U);
  ASSERT_EQ(builder.warnings.size(), 1U);
  EXPECT_NE(builder.warnings[0].find("--pad-token 256"), std::string::npos);
  EXPECT_EQ(builder.recognise(R"({"pad_token": 256})").architecture.pad_token, 256U);
  EXPECT_TRUE(builder.warnings.empty());
}

TEST(Shapes, ImplyAJoinedPooling) {
  CheckpointBuilder two;
  two.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).dense("fc1", 5, 16).dense("fc2", 1, 5);
  EXPECT_EQ(two.recognise().architecture.pooling, Pooling::concat_avg_max);
  EXPECT_EQ(two.recognise().sources.at("pooling"), "shapes");
  CheckpointBuilder three;
  three.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).dense("output", 1, 24);
  EXPECT_EQ(three.recognise().architecture.pooling, Pooling::concat_avg_max_std);
}

TEST(Statement, SettlesWhatShapesLeaveOpen) {
  auto builder = two_layers();
  const Original found = builder.recognise(R"({
    "conv_layers": [{"stride": 2, "padding": [0, 2], "activation": "gelu", "batch_norm": {"eps": 0.001}},
                    {"dilation": 3, "padding": "valid", "batch_norm": {"position": "after_activation"}}],
    "pooling": "max", "max_len": 64, "pad_token": null, "output": "none",
    "dense_layers": [{"activation": "tanh"}]})");
  const Architecture& architecture = found.architecture;
  EXPECT_EQ(architecture.conv_layers[0].stride, 2U);
  EXPECT_EQ(architecture.conv_layers[0].pad_left, 0U);
  EXPECT_EQ(architecture.conv_layers[0].pad_right, 2U);
  EXPECT_EQ(architecture.conv_layers[0].activation.kind, Activation::Kind::gelu);
  EXPECT_EQ(architecture.conv_layers[0].batch_norm, (BatchNormSpec{1e-3, Position::before_activation}));
  EXPECT_EQ(architecture.conv_layers[1].dilation, 3U);
  EXPECT_EQ(architecture.conv_layers[1].pad_right, 0U);
  EXPECT_EQ(architecture.conv_layers[1].batch_norm, (BatchNormSpec{1e-5, Position::after_activation}));
  EXPECT_EQ(architecture.pooling, Pooling::max);
  EXPECT_EQ(architecture.max_len, 64U);
  EXPECT_FALSE(architecture.pad_token);
  EXPECT_EQ(architecture.output, Output::none);
  EXPECT_EQ(architecture.dense_layers[0].activation.kind, Activation::Kind::tanh);
  EXPECT_EQ(found.sources.at("pooling"), "stated");
  EXPECT_EQ(found.sources.at("padding"), "stated") << "all layers agree: one entry";
  EXPECT_EQ(found.sources.at("conv1.stride"), "stated") << "layers differ: one entry each";
  EXPECT_EQ(found.sources.at("conv2.stride"), "default");
}

TEST(Statement, ThatContradictsShapesIsAnError) {
  for (const char* statement :
       {R"({"vocab_size": 257})", R"({"embed_dim": 7})", R"({"outputs": 2})", R"({"conv_filters": 9})",
        R"({"kernel_size": 5})", R"({"dense_dim": 8})", R"({"conv_layers": []})", R"({"dense_layers": []})",
        R"({"conv_layers": [{}, {"filters": 11}]})", R"({"conv_layers": [{"kernel_size": 4}, {}]})",
        R"({"conv_layers": [{"groups": 2}, {}]})", R"({"conv_layers": [{"batch_norm": null}, {}]})",
        R"({"dense_layers": [{"units": 8}]})", R"({"pooling": "concat_avg_max"})"}) {
    auto builder = two_layers();
    const Error error = builder.refusal(statement);
    EXPECT_EQ(error.code(), ErrorCode::invalid) << statement;
    EXPECT_NE(error.where().find("architecture statement /"), std::string::npos) << error.what();
    EXPECT_FALSE(error.expected().empty() || error.found().empty()) << error.what();
  }
}

TEST(Statement, OfABatchNormThatIsNotThereIsAnError) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).dense("output", 1, 8);
  EXPECT_EQ(builder.refusal(R"({"conv_layers": [{"batch_norm": {"eps": 0.001}}]})").code(), ErrorCode::invalid);
  EXPECT_NO_THROW(static_cast<void>(builder.recognise(R"({"conv_layers": [{"batch_norm": null}]})")));
}

TEST(Statement, ThatSaysWhatTheShapesSayIsFine) {
  auto builder = two_layers();
  EXPECT_NO_THROW(static_cast<void>(builder.recognise(R"({"vocab_size": 256, "embed_dim": 6, "outputs": 1,
    "conv_filters": 8, "kernel_size": 3, "dense_dim": 7, "conv_layers": [{"filters": 8, "groups": 1}, {"filters": 10}]})")));
}

TEST(Statement, APadTokenOutsideTheVocabularyIsAnError) {
  EXPECT_EQ(two_layers().refusal(R"({"pad_token": 256})").code(), ErrorCode::invalid);
}

TEST(Flags, SettleTheSame) {
  auto builder = two_layers();
  const Original found = builder.recognise("{}", {.pooling = Pooling::avg,
                                                  .max_len = 99,
                                                  .pad_token = std::optional<std::uint32_t>(),
                                                  .batch_norm_position = Position::after_activation,
                                                  .batch_norm_eps = 0.01});
  EXPECT_EQ(found.architecture.pooling, Pooling::avg);
  EXPECT_EQ(found.architecture.max_len, 99U);
  EXPECT_FALSE(found.architecture.pad_token);
  for (const ConvLayer& layer : found.architecture.conv_layers) {
    EXPECT_EQ(layer.batch_norm, (BatchNormSpec{0.01, Position::after_activation}));
  }
  EXPECT_EQ(found.sources.at("batch_norm_eps"), "stated");
}

TEST(Flags, ThatContradictTheStatementAreAUsageError) {
  EXPECT_EQ(two_layers().refusal(R"({"pooling": "max"})", {.pooling = Pooling::avg}).code(), ErrorCode::usage);
  EXPECT_EQ(two_layers().refusal(R"({"max_len": 10})", {.max_len = 11}).code(), ErrorCode::usage);
  EXPECT_EQ(two_layers().refusal(R"({"pad_token": null})", {.pad_token = 0}).code(), ErrorCode::usage);
  EXPECT_NO_THROW(static_cast<void>(two_layers().recognise(R"({"pooling": "max"})", {.pooling = Pooling::max})));
}

TEST(Flags, ForBatchNormWithoutABatchNormAreMentioned) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).dense("output", 1, 8);
  static_cast<void>(builder.recognise("{}", {.batch_norm_eps = 0.01}));
  EXPECT_EQ(builder.warnings.size(), 1U);
}

TEST(SequentialNumbers, ConvNormActivation) {
  const Original found = sequential(3, 1, 4).recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].batch_norm->position, Position::before_activation);
  EXPECT_EQ(found.architecture.conv_layers[1].batch_norm->position, Position::before_activation);
  EXPECT_EQ(found.sources.at("batch_norm_position"), "sequential");
}

TEST(SequentialNumbers, ConvActivationNorm) {
  const Original found = sequential(3, 2, 5).recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].batch_norm->position, Position::after_activation);
  EXPECT_EQ(found.architecture.conv_layers[1].batch_norm->position, Position::after_activation);
  EXPECT_EQ(found.sources.at("batch_norm_position"), "sequential");
}

TEST(SequentialNumbers, AStatementOverrulesThem) {
  const Original found = sequential(3, 2, 5).recognise("{}", {.batch_norm_position = Position::before_activation});
  EXPECT_EQ(found.architecture.conv_layers[0].batch_norm->position, Position::before_activation);
  EXPECT_EQ(found.sources.at("batch_norm_position"), "stated");
}

TEST(SequentialNumbers, ModulesOnBothSidesAreAmbiguous) {
  // conv, dropout, norm, relu or conv, relu, norm, dropout?
  auto builder = sequential(4, 2, 6);
  const Error error = builder.refusal();
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_EQ(error.where(), "features.2");
  EXPECT_NE(error.message().find("--bn-position"), std::string::npos);
  EXPECT_NO_THROW(static_cast<void>(builder.recognise("{}", {.batch_norm_position = Position::after_activation})));
}

TEST(SequentialNumbers, AListWithoutGapsTellsNothing) {
  const Original found = sequential(2, 1, 3).recognise();  // a ModuleList: conv, norm, conv, norm
  EXPECT_EQ(found.architecture.conv_layers[0].batch_norm->position, Position::before_activation);
  EXPECT_EQ(found.sources.at("conv1.batch_norm_position"), "default");
}

TEST(SequentialNumbers, TwoWeightlessModulesInARowAreMentioned) {
  auto builder = sequential(4, 1, 5);  // conv, norm, relu, dropout or pooling
  static_cast<void>(builder.recognise());
  ASSERT_EQ(builder.warnings.size(), 1U);
  EXPECT_NE(builder.warnings[0].find("pooling"), std::string::npos);
}

TEST(Parameters, CountWhatWasLearned) {
  // embedding, convs with bias, gamma and beta, dense layers; no running statistics, no counters.
  EXPECT_EQ(two_layers().recognise().parameters,
            256U * 6 + 8 * 6 * 3 + 8 + 2 * 8 + 10 * 8 * 3 + 10 + 2 * 10 + 7 * 10 + 7 + 7 + 1);
}

TEST(TorchScript, StatementsFillWhatAGraphCannotHold) {
  Original original = two_layers().recognise();
  original.sources = {{"output", "default"}};
  complete_from_statement(original,
                          parse_architecture_statement(R"({"max_len": 100, "pad_token": null, "output": "none"})"), {});
  EXPECT_EQ(original.architecture.max_len, 100U);
  EXPECT_FALSE(original.architecture.pad_token);
  EXPECT_EQ(original.architecture.output, Output::none);
}

TEST(TorchScript, StatementsThatContradictTheGraphAreErrors) {
  for (const char* statement :
       {R"({"pooling": "max"})", R"({"output": "none"})", R"({"conv_layers": [{}]})", R"({"embed_dim": 3})",
        R"({"conv_layers": [{"stride": 2}, {}]})", R"({"conv_layers": [{"padding": "valid"}, {}]})",
        R"({"conv_layers": [{"activation": "gelu"}, {}]})", R"({"conv_layers": [{"residual": true}, {}]})",
        R"({"conv_layers": [{"batch_norm": {"eps": 0.1}}, {}]})", R"({"dense_layers": []})"}) {
    Original original = two_layers().recognise();
    original.sources["output"] = "torchscript";
    EXPECT_THROW(complete_from_statement(original, parse_architecture_statement(statement), {}), Error) << statement;
  }
}

TEST(Settling, LeavesToASearchWhatItWouldRefuseAsAmbiguous) {
  const RecognitionFlags search{.search_follows = true};
  CheckpointBuilder residual;
  residual.embedding("embedding", 256, 6).conv("resblock.conv1", 8, 6, 3).conv("resblock.conv2", 8, 8, 3);
  residual.dense("output", 1, 8);
  EXPECT_EQ(residual.refusal().code(), ErrorCode::ambiguous);
  const Original open = residual.recognise("{}", search);
  EXPECT_EQ(open.sources.at("residual"), "default");

  CheckpointBuilder kinds = two_layers();
  kinds.module("", "__main__.Net").module("act1", "torch.nn.modules.activation.GELU");
  kinds.module("act2", "torch.nn.modules.activation.ReLU");
  EXPECT_EQ(kinds.refusal().code(), ErrorCode::ambiguous);
  EXPECT_EQ(kinds.recognise("{}", search).sources.at("activation"), "default");

  CheckpointBuilder pooled = two_layers();
  pooled.module("", "__main__.Net")
      .module("pool", "torch.nn.modules.pooling.AdaptiveMaxPool1d", {{"output_size", "1"}});
  EXPECT_EQ(pooled.recognise().sources.at("pooling"), "module");
  EXPECT_EQ(pooled.recognise("{}", search).sources.at("pooling"), "default") << "what is merely suggested is tried";
}

}  // namespace
}  // namespace bytecnn::exporter::testing
