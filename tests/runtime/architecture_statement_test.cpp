// Architecture statements: every key, and everything that is not a statement.

#include "bytecnn/architecture_statement.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "error_check.hpp"

namespace bytecnn {
namespace {

using testing::contains;
using testing::describe;
using testing::error_of;

ArchitectureStatement parse(std::string_view json) {
  return parse_architecture_statement(json);
}

TEST(ArchitectureStatementTest, AnEmptyObjectStatesNothing) {
  const ArchitectureStatement s = parse("{}");
  EXPECT_FALSE(s.vocab_size || s.embed_dim || s.outputs || s.max_len || s.conv_layers || s.conv_filters ||
               s.kernel_size || s.dense_dim || s.pooling || s.dense_layers || s.output || s.pad_token);
}

TEST(ArchitectureStatementTest, ReadsEveryKey) {
  const ArchitectureStatement s = parse(R"json({
    "vocab_size": 257, "embed_dim": 12, "conv_filters": 40, "kernel_size": 3, "dense_dim": 128, "outputs": 2,
    "conv_layers": [{"filters": 40, "kernel_size": 5, "stride": 2, "dilation": 3, "groups": 4, "padding": [1, 2],
                     "activation": "leaky_relu(0.1)", "batch_norm": {"eps": 0.001, "position": "after_activation"},
                     "residual": true}, {}],
    "pooling": "max", "dense_layers": [{"units": 128, "activation": "tanh"}, {}], "output": "softmax",
    "max_len": 1024, "pad_token": 256})json");
  EXPECT_EQ(s.vocab_size, 257U);
  EXPECT_EQ(s.embed_dim, 12U);
  EXPECT_EQ(s.conv_filters, 40U);
  EXPECT_EQ(s.kernel_size, 3U);
  EXPECT_EQ(s.dense_dim, 128U);
  EXPECT_EQ(s.outputs, 2U);
  EXPECT_EQ(s.pooling, Pooling::max);
  EXPECT_EQ(s.output, Output::softmax);
  EXPECT_EQ(s.max_len, 1024U);
  ASSERT_TRUE(s.pad_token.has_value());
  EXPECT_EQ(*s.pad_token, 256U);
  ASSERT_EQ(s.conv_layers.value().size(), 2U);
  const ConvLayerStatement& conv = s.conv_layers->front();
  EXPECT_EQ(conv.filters, 40U);
  EXPECT_EQ(conv.kernel_size, 5U);
  EXPECT_EQ(conv.stride, 2U);
  EXPECT_EQ(conv.dilation, 3U);
  EXPECT_EQ(conv.groups, 4U);
  EXPECT_EQ(conv.padding.value().kind, PaddingStatement::Kind::columns);
  EXPECT_EQ(conv.padding->left, 1U);
  EXPECT_EQ(conv.padding->right, 2U);
  EXPECT_EQ(conv.activation, (Activation{Activation::Kind::leaky_relu, 0.1F}));
  EXPECT_FALSE(conv.batch_norm.value().none);
  EXPECT_EQ(conv.batch_norm->eps, 0.001);
  EXPECT_EQ(conv.batch_norm->position, BatchNormSpec::Position::after_activation);
  EXPECT_EQ(conv.residual, true);
  const ConvLayerStatement& silent = s.conv_layers->back();
  EXPECT_FALSE(silent.filters || silent.kernel_size || silent.stride || silent.dilation || silent.groups ||
               silent.padding || silent.activation || silent.batch_norm || silent.residual);
  ASSERT_EQ(s.dense_layers.value().size(), 2U);
  EXPECT_EQ(s.dense_layers->front().units, 128U);
  EXPECT_EQ(s.dense_layers->front().activation, Activation{Activation::Kind::tanh});
  EXPECT_FALSE(s.dense_layers->back().units || s.dense_layers->back().activation);
}

TEST(ArchitectureStatementTest, HiddenDimIsAnotherNameOfDenseDim) {
  EXPECT_EQ(parse(R"({"hidden_dim": 64})").dense_dim, 64U);
  EXPECT_EQ(parse(R"({"hidden_dim": 64, "dense_dim": 64})").dense_dim, 64U);
  const Error error = error_of([] { return parse(R"({"hidden_dim": 64, "dense_dim": 65})"); });
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.where(), "/hidden_dim");
}

TEST(ArchitectureStatementTest, NullMeansNotStatedForMaxLenAndNotPaddedForPadToken) {
  EXPECT_FALSE(parse(R"({"max_len": null})").max_len.has_value());
  const ArchitectureStatement s = parse(R"({"pad_token": null})");
  ASSERT_TRUE(s.pad_token.has_value());
  EXPECT_FALSE(s.pad_token->has_value());
}

TEST(ArchitectureStatementTest, ABatchNormMayBeNoneOrSayLittle) {
  const auto statement = [](std::string_view batch_norm) {
    return parse("{\"conv_layers\": [{\"batch_norm\": " + std::string(batch_norm) + "}]}")
        .conv_layers->front()
        .batch_norm;
  };
  EXPECT_TRUE(statement("null").value().none);
  EXPECT_FALSE(statement("{}").value().none);
  EXPECT_FALSE(statement("{}")->eps || statement("{}")->position);
  EXPECT_EQ(statement(R"({"eps": 0})")->eps, 0.0);
}

ConvLayer padded(std::string_view padding, std::uint32_t kernel_size, std::uint32_t dilation) {
  ConvLayer layer;
  layer.kernel_size = kernel_size;
  layer.dilation = dilation;
  layer.pad_left = layer.pad_right = 99;
  parse("{\"conv_layers\": [{\"padding\": " + std::string(padding) + "}]}").conv_layers->front().padding->apply(layer);
  return layer;
}

TEST(ArchitectureStatementTest, SamePaddingPutsTheOddColumnOnTheRight) {
  struct Case {
    std::uint32_t kernel_size, dilation, left, right;
  };
  // As torch.nn.functional.conv1d(padding="same"): half of dilation * (kernel_size - 1), rounded down, on the left.
  for (const Case& c : {Case{1, 1, 0, 0}, Case{2, 1, 0, 1}, Case{3, 1, 1, 1}, Case{4, 1, 1, 2}, Case{5, 2, 4, 4},
                        Case{2, 3, 1, 2}, Case{4, 3, 4, 5}}) {
    const ConvLayer layer = padded("\"same\"", c.kernel_size, c.dilation);
    EXPECT_EQ(layer.pad_left, c.left) << c.kernel_size << ", " << c.dilation;
    EXPECT_EQ(layer.pad_right, c.right) << c.kernel_size << ", " << c.dilation;
  }
}

TEST(ArchitectureStatementTest, OtherPaddings) {
  EXPECT_EQ(padded("\"valid\"", 5, 1).pad_left, 0U);
  EXPECT_EQ(padded("\"valid\"", 5, 1).pad_right, 0U);
  EXPECT_EQ(padded("3", 5, 1).pad_left, 3U);
  EXPECT_EQ(padded("3", 5, 1).pad_right, 3U);
  EXPECT_EQ(padded("[0, 4]", 5, 1).pad_left, 0U);
  EXPECT_EQ(padded("[0, 4]", 5, 1).pad_right, 4U);
}

TEST(ArchitectureStatementTest, RefusesWrongTypesAndValuesWithTheirPlace) {
  struct Case {
    const char* json;
    const char* where;
  };
  for (const Case& c : {
           Case{R"([])", "/"},
           Case{R"(null)", "/"},
           Case{R"({"vocab_size": "256"})", "/vocab_size"},
           Case{R"({"vocab_size": 0})", "/vocab_size"},
           Case{R"({"vocab_size": 65537})", "/vocab_size"},
           Case{R"({"embed_dim": 1.5})", "/embed_dim"},
           Case{R"({"embed_dim": 12.0})", "/embed_dim"},
           Case{R"({"embed_dim": -1})", "/embed_dim"},
           Case{R"({"embed_dim": null})", "/embed_dim"},
           Case{R"({"embed_dim": true})", "/embed_dim"},
           Case{R"({"embed_dim": 4294967308})", "/embed_dim"},  // 12 after losing its upper bits
           Case{R"({"embed_dim": 99999999999999999999})", "/embed_dim"},
           Case{R"({"conv_filters": [40]})", "/conv_filters"},
           Case{R"({"kernel_size": 4097})", "/kernel_size"},
           Case{R"({"dense_dim": 0})", "/dense_dim"},
           Case{R"({"hidden_dim": "x"})", "/hidden_dim"},
           Case{R"({"hidden_dim": "x", "dense_dim": 3})", "/hidden_dim"},
           Case{R"({"outputs": 0})", "/outputs"},
           Case{R"({"max_len": 0})", "/max_len"},
           Case{R"({"max_len": 67108865})", "/max_len"},
           Case{R"({"pad_token": -1})", "/pad_token"},
           Case{R"({"pad_token": "none"})", "/pad_token"},
           Case{R"({"pooling": "mean"})", "/pooling"},
           Case{R"({"pooling": null})", "/pooling"},
           Case{R"({"output": 1})", "/output"},
           Case{R"({"conv_layers": {}})", "/conv_layers"},
           Case{R"({"conv_layers": [{}, 3]})", "/conv_layers/1"},
           Case{R"({"conv_layers": [{"stride": 0}]})", "/conv_layers/0/stride"},
           Case{R"({"conv_layers": [{"dilation": 65537}]})", "/conv_layers/0/dilation"},
           Case{R"({"conv_layers": [{"groups": 0}]})", "/conv_layers/0/groups"},
           Case{R"({"conv_layers": [{"filters": 65537}]})", "/conv_layers/0/filters"},
           Case{R"({"conv_layers": [{"padding": "full"}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"padding": [1]}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"padding": [1, 2, 3]}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"padding": [1, -2]}]})", "/conv_layers/0/padding/1"},
           Case{R"({"conv_layers": [{"padding": -1}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"padding": 1048577}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"padding": null}]})", "/conv_layers/0/padding"},
           Case{R"({"conv_layers": [{"activation": "swish"}]})", "/conv_layers/0/activation"},
           Case{R"({"conv_layers": [{"activation": 1}]})", "/conv_layers/0/activation"},
           Case{R"({"conv_layers": [{"batch_norm": true}]})", "/conv_layers/0/batch_norm"},
           Case{R"({"conv_layers": [{"batch_norm": {"eps": -1}}]})", "/conv_layers/0/batch_norm/eps"},
           Case{R"({"conv_layers": [{"batch_norm": {"eps": "1e-5"}}]})", "/conv_layers/0/batch_norm/eps"},
           Case{R"({"conv_layers": [{"batch_norm": {"position": "x"}}]})", "/conv_layers/0/batch_norm/position"},
           Case{R"({"conv_layers": [{"residual": 1}]})", "/conv_layers/0/residual"},
           Case{R"({"dense_layers": 3})", "/dense_layers"},
           Case{R"({"dense_layers": [{"units": 0}]})", "/dense_layers/0/units"},
           Case{R"({"dense_layers": [{"activation": "x"}]})", "/dense_layers/0/activation"},
       }) {
    const Error error = error_of([&] { return parse(c.json); });
    EXPECT_EQ(error.code(), ErrorCode::invalid) << c.json;
    EXPECT_EQ(error.where(), c.where) << c.json << ": " << describe(error);
    EXPECT_FALSE(error.expected().empty()) << c.json << ": " << describe(error);
  }
}

TEST(ArchitectureStatementTest, RefusesUnknownKeysAtEveryLevelAndListsTheKnownOnes) {
  struct Case {
    const char* json;
    const char* where;
    const char* key;
  };
  for (const Case& c :
       {Case{R"({"maxlen": 512})", "/", "\"maxlen\""},
        Case{R"({"conv_layers": [{"filter": 3}]})", "/conv_layers/0", "\"filter\""},
        Case{R"({"conv_layers": [{"batch_norm": {"epsilon": 3}}]})", "/conv_layers/0/batch_norm", "\"epsilon\""},
        Case{R"({"dense_layers": [{"size": 3}]})", "/dense_layers/0", "\"size\""}}) {
    const Error error = error_of([&] { return parse(c.json); });
    EXPECT_EQ(error.where(), c.where);
    EXPECT_EQ(error.found(), c.key);
    EXPECT_TRUE(contains(error.expected(), "one of ")) << describe(error);
  }
}

TEST(ArchitectureStatementTest, RefusesDoubledKeysWithTheirPlace) {
  const Error top = error_of([] { return parse(R"({"max_len": 3, "pooling": "max", "max_len": 3})"); });
  EXPECT_EQ(top.code(), ErrorCode::invalid);
  EXPECT_EQ(top.where(), "/max_len");
  EXPECT_TRUE(contains(top.what(), "twice")) << describe(top);
  const Error deep = error_of([] { return parse(R"({"conv_layers": [{}, {"stride": 1, "stride": 2}]})"); });
  EXPECT_EQ(deep.where(), "/conv_layers/1/stride");
}

TEST(ArchitectureStatementTest, RefusesTooManyLayers) {
  const auto layers = [](std::size_t count) {
    std::string json = R"({"conv_layers": [)";
    for (std::size_t i = 0; i < count; ++i) json += i == 0 ? "{}" : ",{}";
    return json + "]}";
  };
  EXPECT_EQ(parse(layers(ModelLimits::max_layers)).conv_layers->size(), ModelLimits::max_layers);
  EXPECT_EQ(error_of([&] { return parse(layers(ModelLimits::max_layers + 1)); }).where(), "/conv_layers");
}

TEST(ArchitectureStatementTest, SyntaxErrorsNameLineAndColumn) {
  const Error error = error_of([] { return parse("{\n  \"max_len\": 512,\n  \"pooling\" \"max\"\n}"); });
  EXPECT_EQ(error.code(), ErrorCode::syntax);
  EXPECT_TRUE(contains(error.what(), "line 3, column ")) << describe(error);
}

}  // namespace
}  // namespace bytecnn
