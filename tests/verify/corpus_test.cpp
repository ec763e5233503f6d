// The inputs of a verification: the edges are there, the adversaries are extreme, and nothing depends on chance.

#include "verify/corpus.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "bytecnn/reference.hpp"

#include "random_original.hpp"
#include "verify/filter_search.hpp"

namespace bytecnn::exporter::testing {
namespace {

std::vector<NamedInput> inputs_of(const Architecture& architecture, const VerifyOptions& options = {}) {
  return verification_inputs(fold(with_random_weights(architecture, 3)), options);
}

std::set<std::size_t> lengths_of(const std::vector<NamedInput>& inputs) {
  std::set<std::size_t> lengths;
  for (const auto& input : inputs) lengths.insert(input.bytes.size());
  return lengths;
}

TEST(VerificationInputs, HoldTheEmptyInputEverySingleByteAndAllLengthsRoundMaxLen) {
  const auto inputs = inputs_of(two_layer_original(1).architecture);  // max_len 40
  const auto lengths = lengths_of(inputs);
  for (const std::size_t length : {0U, 1U, 2U, 3U, 4U, 5U, 37U, 38U, 39U, 40U, 41U, 42U, 81U}) {
    EXPECT_TRUE(lengths.contains(length)) << length;
  }
  std::set<std::byte> singles;
  for (const auto& input : inputs) {
    if (input.bytes.size() == 1) singles.insert(input.bytes.front());
  }
  EXPECT_EQ(singles.size(), 256U);
}

TEST(VerificationInputs, HaveNamesThatOccurOnce) {
  const auto inputs = inputs_of(two_layer_original(1).architecture);
  std::set<std::string> names;
  for (const auto& input : inputs) names.insert(input.name);
  EXPECT_EQ(names.size(), inputs.size());
}

TEST(VerificationInputs, AreTheSameForTheSameSeedAndOthersForAnother) {
  const auto architecture = two_layer_original(1).architecture;
  const auto bytes = [&](std::uint64_t seed) {
    VerifyOptions options;
    options.seed = seed;
    std::vector<Bytes> all;
    for (auto& input : inputs_of(architecture, options)) all.push_back(std::move(input.bytes));
    return all;
  };
  EXPECT_EQ(bytes(5), bytes(5));
  EXPECT_NE(bytes(5), bytes(6));
}

TEST(VerificationInputs, OfAnExpensiveModelKeepTheEdgesAndDropTheRest) {
  const auto architecture = two_layer_original(1).architecture;
  VerifyOptions options;
  options.work_limit = 1;
  const auto few = inputs_of(architecture, options);
  EXPECT_LT(few.size(), 60U);
  EXPECT_TRUE(lengths_of(few).contains(39));
  EXPECT_TRUE(lengths_of(few).contains(0));
}

TEST(VerificationInputs, EndWithTheUsersCorpusWhole) {
  VerifyOptions options;
  options.work_limit = 1;
  options.corpus = {{"mine 1", Bytes{std::byte{1}, std::byte{2}}}, {"mine 2", Bytes{}}};
  const auto inputs = inputs_of(two_layer_original(1).architecture, options);
  ASSERT_GE(inputs.size(), 2U);
  EXPECT_EQ(inputs[inputs.size() - 2].bytes, options.corpus[0].bytes);
  EXPECT_EQ(inputs[inputs.size() - 1].name, "mine 2");
}

TEST(VerificationInputs, WhereTheModelDoesNotPadStandOnBothSidesOfTheShortest) {
  Architecture architecture = two_layer_original(1).architecture;
  architecture.pad_token.reset();
  for (auto& layer : architecture.conv_layers) layer.pad_left = layer.pad_right = 0;
  EXPECT_EQ(shortest_input(architecture), 6U);  // 3 + 4 - 1
  EXPECT_EQ(architecture.pooled_positions(6), 1U);
  EXPECT_EQ(architecture.pooled_positions(5), 0U);
  const auto lengths = lengths_of(inputs_of(architecture));
  EXPECT_TRUE(lengths.contains(5));
  EXPECT_TRUE(lengths.contains(6));
}

TEST(FilterExtreme, NoWindowOfRandomBytesGoesBeyondIt) {
  for (const std::uint32_t dilation : {1U, 2U}) {
    Architecture architecture = two_layer_original(1).architecture;
    architecture.conv_layers.resize(1);
    ConvLayer& layer = architecture.conv_layers.front();
    layer.activation.kind = Activation::Kind::none;
    layer.batch_norm.reset();
    layer.dilation = dilation;
    layer.groups = 2;
    const Model model = fold(with_random_weights(architecture, 9));
    const auto values = [&](const Bytes& input, std::size_t filter) {
      const auto conv = reference_layer_outputs(model, input).front();
      const std::size_t positions = conv.size() / layer.filters;
      const auto begin = conv.begin() + static_cast<std::ptrdiff_t>(filter * positions);
      return std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(positions));
    };
    Bytes random(architecture.max_len);
    for (std::size_t filter = 0; filter < layer.filters; ++filter) {
      const auto high = values(filter_extreme(model, filter, true, architecture.max_len), filter);
      const auto low = values(filter_extreme(model, filter, false, architecture.max_len), filter);
      for (std::size_t round = 0; round < 50; ++round) {
        for (std::size_t i = 0; i < random.size(); ++i) {
          random[i] = static_cast<std::byte>((i * i * 31 + round * 97 + i * (round + 3)) & 0xFFU);
        }
        const auto some = values(random, filter);
        EXPECT_LE(*std::max_element(some.begin() + 2, some.end() - 2), *std::max_element(high.begin(), high.end()));
        EXPECT_GE(*std::min_element(some.begin() + 2, some.end() - 2), *std::min_element(low.begin(), low.end()));
      }
    }
  }
}

TEST(DeepFilterExtreme, GoesFarBeyondRandomBytes) {
  Architecture architecture = two_layer_original(1).architecture;
  architecture.conv_layers.back().activation.kind = Activation::Kind::none;
  architecture.conv_layers.back().batch_norm.reset();
  const Model model = fold(with_random_weights(architecture, 9));
  const std::size_t filters = architecture.conv_layers.back().filters;
  const auto extremes = [&](const Bytes& input, std::size_t filter) {
    const auto conv = reference_layer_outputs(model, input)[1];
    const auto positions = static_cast<std::ptrdiff_t>(conv.size() / filters);
    const auto begin = conv.begin() + static_cast<std::ptrdiff_t>(filter) * positions;
    const auto [low, high] = std::minmax_element(begin + 3, begin + positions - 3);
    return std::pair(*low, *high);
  };
  Bytes random(architecture.max_len);
  for (std::size_t filter = 0; filter < filters; filter += 3) {
    const double high = extremes(deep_filter_extreme(model, 1, filter, true, architecture.max_len), filter).second;
    const double low = extremes(deep_filter_extreme(model, 1, filter, false, architecture.max_len), filter).first;
    for (std::size_t round = 0; round < 50; ++round) {
      for (std::size_t i = 0; i < random.size(); ++i) {
        random[i] = static_cast<std::byte>((i * i * 31 + round * 97 + i * (round + 3)) & 0xFFU);
      }
      const auto some = extremes(random, filter);
      EXPECT_LE(some.second, high) << filter;
      EXPECT_GE(some.first, low) << filter;
    }
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing
