// Writing and reading back: every weight bit for bit, everything else equal, and the text itself stable.

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
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
using testing::Json;

std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> result;
  for (const float value : values) result.push_back(std::bit_cast<std::uint32_t>(value));
  return result;
}

void expect_bit_equal(const Weights& a, const Weights& b) {
  EXPECT_EQ(bits(a.embedding), bits(b.embedding));
  ASSERT_EQ(a.conv.size(), b.conv.size());
  for (std::size_t i = 0; i < a.conv.size(); ++i) {
    EXPECT_EQ(bits(a.conv[i].weight), bits(b.conv[i].weight));
    EXPECT_EQ(bits(a.conv[i].bias), bits(b.conv[i].bias));
    EXPECT_EQ(bits(a.conv[i].scale), bits(b.conv[i].scale));
    EXPECT_EQ(bits(a.conv[i].shift), bits(b.conv[i].shift));
  }
  ASSERT_EQ(a.dense.size(), b.dense.size());
  for (std::size_t i = 0; i < a.dense.size(); ++i) {
    EXPECT_EQ(bits(a.dense[i].weight), bits(b.dense[i].weight));
    EXPECT_EQ(bits(a.dense[i].bias), bits(b.dense[i].bias));
  }
  EXPECT_EQ(bits(a.output.weight), bits(b.output.weight));
  EXPECT_EQ(bits(a.output.bias), bits(b.output.bias));
}

TEST(ModelJsonRoundTripTest, RandomModelsComeBackBitForBit) {
  for (std::uint32_t seed = 1000; seed < 1060; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Model model = testing::with_random_weights(architecture, seed);
    const std::string text = to_json(model);
    const Model again = parse_model(text);
    EXPECT_EQ(again.architecture, architecture) << seed << ": " << testing::describe(architecture);
    expect_bit_equal(again.weights, model.weights);
    EXPECT_EQ(to_json(again), text) << seed;
  }
}

TEST(ModelJsonRoundTripTest, EverythingElseComesBackToo) {
  const Model model = testing::rich_model();
  const Model again = parse_model(to_json(model));
  EXPECT_EQ(again.architecture, model.architecture);
  EXPECT_EQ(again.info.name, model.info.name);
  EXPECT_EQ(again.info.version, model.info.version);
  EXPECT_EQ(again.info.parameters, model.info.parameters);
  EXPECT_EQ(again.info.accuracy, model.info.accuracy);
  EXPECT_EQ(again.info.exported, model.info.exported);
  EXPECT_EQ(again.info.labels, model.info.labels);
  EXPECT_EQ(again.info.threshold, model.info.threshold);
  EXPECT_EQ(again.info.source, model.info.source);
  EXPECT_EQ(again.info.assumed, model.info.assumed);
  EXPECT_EQ(Json::parse(again.info.extra), Json::parse(model.info.extra));
  EXPECT_EQ(Json::parse(again.extra), Json::parse(model.extra));
  ASSERT_EQ(again.golden.size(), model.golden.size());
  for (std::size_t i = 0; i < model.golden.size(); ++i) {
    EXPECT_EQ(again.golden[i].input, model.golden[i].input);
    EXPECT_EQ(again.golden[i].logits, model.golden[i].logits);
  }
  EXPECT_EQ(again.frequent_windows.sample, model.frequent_windows.sample);
  EXPECT_EQ(again.frequent_windows.tokens, model.frequent_windows.tokens);
}

TEST(ModelJsonRoundTripTest, FrequentWindowsTellBytesPaddingAndOutsideApart) {
  Model model = testing::rich_model();
  EXPECT_EQ(testing::document_of(model).at("frequent_windows").at("tokens"), "746865--54682e0000fffe--");

  Architecture a = model.architecture;
  a.vocab_size = 260;
  a.pad_token = 257;
  model = testing::with_random_weights(a, 1);
  model.frequent_windows.tokens = {'.', 257, 257, 260, 0, '0'};
  const Json document = testing::document_of(model);
  EXPECT_EQ(document.at("frequent_windows"), Json({{"tokens", "2epppp--0030"}}));
  EXPECT_EQ(parse_model(document.dump()).frequent_windows.tokens, model.frequent_windows.tokens);

  model.frequent_windows.tokens.clear();
  model.frequent_windows.sample = "nothing";
  EXPECT_FALSE(testing::document_of(model).contains("frequent_windows"));
}

/// Writes the values as the embedding of a small model and reads them back.
std::vector<float> through_a_file(std::vector<float> values) {
  Model model = testing::small_model();
  values.resize(model.weights.embedding.size(), 1.0F);
  model.weights.embedding = std::move(values);
  return parse_model(to_json(model)).weights.embedding;
}

TEST(ModelJsonRoundTripTest, FloatsThatAreEasyToLose) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> values = {0.0F, -0.0F, 1.0F, -1.0F, 0.1F, 1.0F / 3, 16777216.0F, 16777218.0F, 3e9F, 1e19F,
                                     2e19F, 1e20F, Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min(),
                                     -Limits::denorm_min(), Limits::epsilon(), std::nextafter(1.0F, 2.0F),
                                     std::nextafter(1.0F, 0.0F),
                                     // The shortest decimal of this one is the only one of all floats that, read as a
                                     // double first, rounds to its neighbour.
                                     std::bit_cast<float>(0x15AE43FDU), -std::bit_cast<float>(0x15AE43FDU)};
  std::vector<float> again = through_a_file(values);
  again.resize(values.size());
  EXPECT_EQ(bits(again), bits(values));
}

TEST(ModelJsonRoundTripTest, AnyFiniteBitPatternComesBack) {
  std::mt19937 engine(5);
  for (int round = 0; round < 100; ++round) {
    std::vector<float> values(512);
    for (float& value : values) {
      do value = std::bit_cast<float>(static_cast<std::uint32_t>(engine()));
      while (!std::isfinite(value));
    }
    ASSERT_EQ(bits(through_a_file(values)), bits(values));
  }
}

TEST(ModelJsonRoundTripTest, FloatsAreWrittenInTheirShortestForm) {
  Model model = testing::small_model();
  model.weights.output.weight = {0.1F, 1.0F / 3, 2.0F, 1e-7F};
  const std::string text = to_json(model);
  EXPECT_TRUE(contains(text, "[[0.1, 0.33333334, 2, 1e-07]]")) << text.substr(text.find("output_weight"), 100);
}

TEST(ModelJsonRoundTripTest, KeysStandInAFixedOrder) {
  const Json document = testing::document_of(testing::rich_model());
  std::vector<std::string> keys;
  for (const auto& [key, value] : document.items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"format", "format_version", "model_info", "architecture", "weights",
                                            "golden", "frequent_windows", "comment"}));
  keys.clear();
  for (const auto& [key, value] : document.at("weights").items()) keys.push_back(key);
  EXPECT_EQ(keys, (std::vector<std::string>{"embedding", "conv1_weight", "conv1_bias", "conv2_weight", "conv2_bias",
                                            "conv2_scale", "conv2_shift", "classifier_weight", "classifier_bias",
                                            "output_weight", "output_bias"}));
}

TEST(ModelJsonRoundTripTest, OneLayerModelsAlsoCarryTheFlatKeysForOlderReaders) {
  const Json one = testing::document_of(testing::small_model()).at("architecture");
  EXPECT_EQ(one.at("conv_filters"), 3);
  EXPECT_EQ(one.at("kernel_size"), 3);
  EXPECT_EQ(one.at("dense_dim"), 4);
  const Json two = testing::document_of(testing::rich_model()).at("architecture");
  EXPECT_FALSE(two.contains("conv_filters") || two.contains("kernel_size") || two.contains("dense_dim"));
}

TEST(ModelJsonRoundTripTest, ParametersBeyond32BitsComeBack) {
  Model model = testing::small_model();
  model.info.parameters = 5'000'000'000U;
  EXPECT_EQ(parse_model(to_json(model)).info.parameters, 5'000'000'000U);
}

TEST(ModelJsonRoundTripTest, ANameThatIsNotUtf8IsWrittenAsValidJson) {
  Model model = testing::small_model();
  model.info.name = "bad \xFF name";
  EXPECT_EQ(parse_model(to_json(model)).info.name, "bad \xEF\xBF\xBD name");
}

}  // namespace
}  // namespace bytecnn
