// Whatever the layers are called, the same model comes out.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint_builder.hpp"
#include "layer_names.hpp"

namespace bytecnn::exporter::testing {
namespace {

TEST(LayerName, TakesWordsAndNumbersApart) {
  const LayerName name = parse_layer_name("encoder.conv1d_2");
  EXPECT_EQ(name.words, (std::vector<std::string>{"encoder", "conv"}));
  EXPECT_EQ(name.indices, std::vector<std::uint64_t>{2});
  EXPECT_EQ(name.parent, "encoder");
  EXPECT_FALSE(name.place);
}

TEST(LayerName, KnowsAPlaceInASequential) {
  const LayerName name = parse_layer_name("features.3.10");
  EXPECT_EQ(name.place, 10U);
  EXPECT_EQ(name.parent, "features.3");
  EXPECT_EQ(name.indices, (std::vector<std::uint64_t>{3, 10}));
}

TEST(LayerName, SplitsCamelCase) {
  EXPECT_EQ(parse_layer_name("batchNorm1d").words, (std::vector<std::string>{"batch", "norm"}));
}

TEST(LayerName, HasOneStemForAllNumbers) {
  EXPECT_EQ(parse_layer_name("conv2").stem, parse_layer_name("conv10").stem);
  EXPECT_EQ(parse_layer_name("blocks.0.conv1").stem, parse_layer_name("blocks.7.conv2").stem);
  EXPECT_NE(parse_layer_name("convs.0").stem, parse_layer_name("bns.0").stem);
}

TEST(LayerName, SurvivesOddNames) {
  for (const char* odd : {"", ".", "..", "0", "99999999999999999999999", "\xff\xfe", "a..b", "1d", "conv1d"}) {
    EXPECT_NO_FATAL_FAILURE(static_cast<void>(parse_layer_name(odd))) << odd;
  }
}

struct Naming {
  std::string title, embedding;
  std::vector<std::string> convs, norms, denses;
};

class NamingVariant : public ::testing::TestWithParam<Naming> {
 protected:
  static CheckpointBuilder build(const Naming& names) {
    CheckpointBuilder builder;
    builder.embedding(names.embedding, 256, 6);
    builder.conv(names.convs[0], 8, 6, 3).batch_norm(names.norms[0], 8);
    builder.conv(names.convs[1], 10, 8, 3).batch_norm(names.norms[1], 10);
    builder.dense(names.denses[0], 7, 10).dense(names.denses[1], 1, 7);
    return builder;
  }
};

TEST_P(NamingVariant, GivesTheSameModelAsTheReferenceNames) {
  const Original expected = two_layers().recognise();
  // Positions are stated, because nn.Sequential's numbers would tell different ones.
  const Original found =
      build(GetParam()).recognise("{}", {.batch_norm_position = BatchNormSpec::Position::before_activation});
  EXPECT_EQ(found.architecture, expected.architecture);
  EXPECT_EQ(found.embedding, expected.embedding);
  ASSERT_EQ(found.conv.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(found.conv[i].weight, expected.conv[i].weight);
    EXPECT_EQ(found.conv[i].bias, expected.conv[i].bias);
    EXPECT_EQ(found.conv[i].batch_norm.gamma, expected.conv[i].batch_norm.gamma);
    EXPECT_EQ(found.conv[i].batch_norm.beta, expected.conv[i].batch_norm.beta);
    EXPECT_EQ(found.conv[i].batch_norm.mean, expected.conv[i].batch_norm.mean);
    EXPECT_EQ(found.conv[i].batch_norm.variance, expected.conv[i].batch_norm.variance);
  }
  ASSERT_EQ(found.dense.size(), 1U);
  EXPECT_EQ(found.dense[0].weight, expected.dense[0].weight);
  EXPECT_EQ(found.output.weight, expected.output.weight);
  EXPECT_EQ(found.parameters, expected.parameters);
}

TEST_P(NamingVariant, GivesTheSameModelFromASortedContainer) {
  CheckpointBuilder builder = build(GetParam());
  auto& tensors = builder.container("safetensors").checkpoint().tensors;
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) { return a.name < b.name; });
  const Original expected = two_layers().recognise();
  const Original found = builder.recognise("{}", {.batch_norm_position = BatchNormSpec::Position::before_activation});
  EXPECT_EQ(found.architecture, expected.architecture);
  EXPECT_EQ(found.conv[0].weight, expected.conv[0].weight);
  EXPECT_EQ(found.conv[0].batch_norm.mean, expected.conv[0].batch_norm.mean);
  EXPECT_EQ(found.conv[1].batch_norm.mean, expected.conv[1].batch_norm.mean);
  EXPECT_EQ(found.dense[0].weight, expected.dense[0].weight);
  EXPECT_EQ(found.output.weight, expected.output.weight);
}

INSTANTIATE_TEST_SUITE_P(
    Names, NamingVariant,
    ::testing::Values(
        Naming{"reference", "embedding", {"conv1", "conv2"}, {"bn1", "bn2"}, {"classifier", "output"}},
        Naming{"fc", "embed", {"conv1", "conv2"}, {"bn1", "bn2"}, {"fc1", "fc2"}},
        Naming{
            "underscores", "emb", {"conv1d_1", "conv1d_2"}, {"batch_norm_1", "batch_norm_2"}, {"dense_1", "dense_2"}},
        Naming{"lists", "embeddings", {"convs.0", "convs.1"}, {"bns.0", "bns.1"}, {"linears.0", "linears.1"}},
        Naming{"layers",
               "byte_embedding",
               {"conv_layers.0", "conv_layers.1"},
               {"bn_layers.0", "bn_layers.1"},
               {"fc", "out"}},
        Naming{"norms", "embedding", {"conv1", "conv2"}, {"norm1", "norm2"}, {"hidden", "output"}},
        Naming{"sequential", "emb", {"features.0", "features.3"}, {"features.1", "features.4"}, {"head.0", "head.3"}},
        Naming{"after", "emb", {"features.0", "features.3"}, {"features.2", "features.5"}, {"head.0", "head.2"}},
        Naming{"nested", "embed.0", {"blocks.0.0", "blocks.1.0"}, {"blocks.0.1", "blocks.1.1"}, {"mlp.0", "mlp.2"}},
        Naming{"members",
               "embed",
               {"blocks.0.conv", "blocks.1.conv"},
               {"blocks.0.bn", "blocks.1.bn"},
               {"head.fc1", "head.fc2"}},
        Naming{"camel", "byteEmbedding", {"conv1", "conv2"}, {"batchNorm1", "batchNorm2"}, {"fcHidden", "fcOut"}},
        Naming{"first", "embedding", {"conv", "conv2"}, {"bn", "bn2"}, {"dense", "logits"}},
        Naming{"zero", "embedding", {"conv0", "conv1"}, {"bn0", "bn1"}, {"fc0", "fc1"}},
        Naming{"offset", "embedding", {"conv1", "conv2"}, {"bn0", "bn1"}, {"linear1", "linear2"}},
        Naming{"unnamed", "table", {"a.0", "a.1"}, {"b.0", "b.1"}, {"c.0", "c.1"}},
        Naming{"deep",
               "encoder.embedder",
               {"encoder.stack.9", "encoder.stack.10"},
               {"encoder.norms.9", "encoder.norms.10"},
               {"decoder.9", "decoder.10"}}),
    [](const auto& variant) { return variant.param.title; });

TEST(Naming, NumbersAreNumbersNotText) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 4);
  std::int64_t inputs = 4;
  for (const int i : {1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9}) {  // as a sorted container has them
    builder.conv("conv" + std::to_string(i), 3 + i, i == 1 ? 4 : 2 + i, 3);
  }
  inputs = 14;
  const Original found = builder.dense("output", 1, inputs).container("safetensors").recognise();
  ASSERT_EQ(found.architecture.conv_layers.size(), 11U);
  for (std::uint32_t i = 0; i < 11; ++i) EXPECT_EQ(found.architecture.conv_layers[i].filters, 4 + i);
}

TEST(Naming, ChannelsDecideWhereNamesDoNot) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("tail", 10, 8, 5).conv("stem", 8, 6, 3);
  const Original found = builder.dense("answer", 1, 7).dense("between", 7, 10).recognise();
  EXPECT_EQ(found.architecture.conv_layers[0].kernel_size, 3U);
  EXPECT_EQ(found.architecture.conv_layers[1].kernel_size, 5U);
  EXPECT_EQ(found.architecture.outputs, 1U);
}

TEST(Naming, AnOrderThatNothingSettlesIsRefused) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 8).conv("left", 8, 8, 3).conv("right", 8, 8, 3).dense("output", 1, 8);
  EXPECT_EQ(builder.container("safetensors").refusal().code(), ErrorCode::ambiguous);
  EXPECT_NO_THROW(static_cast<void>(builder.container("zip").recognise())) << "a pickle keeps the order of definition";
}

TEST(Naming, ABatchNormOfOneLayerOfTwoFindsItsLayerByNumber) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).conv("conv2", 8, 8, 3).batch_norm("bn2", 8);
  const Original found = builder.dense("output", 1, 8).recognise();
  EXPECT_FALSE(found.architecture.conv_layers[0].batch_norm);
  EXPECT_TRUE(found.architecture.conv_layers[1].batch_norm);
}

TEST(Naming, ABatchNormWithoutANumberFindsItsLayerByLength) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).conv("conv2", 9, 8, 3).batch_norm("norm", 9);
  const Original found = builder.dense("output", 1, 9).recognise();
  EXPECT_FALSE(found.architecture.conv_layers[0].batch_norm);
  EXPECT_TRUE(found.architecture.conv_layers[1].batch_norm);
}

TEST(Naming, ABatchNormThatFitsTwoLayersIsRefused) {
  CheckpointBuilder builder;
  builder.embedding("embedding", 256, 6).conv("conv1", 8, 6, 3).conv("conv2", 8, 8, 3).batch_norm("norm", 8);
  const Error error = builder.dense("output", 1, 8).refusal();
  EXPECT_EQ(error.code(), ErrorCode::ambiguous);
  EXPECT_EQ(error.where(), "norm.running_mean");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
