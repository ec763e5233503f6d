// Explanations add up, over random models of every kind, and say what a small model's formula says.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "random_model.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;

double sum_of(const Explanation& why) {
  return std::accumulate(why.contributions.begin(), why.contributions.end(), why.baseline);
}

TEST(ExplainTest, ContributionsAndBaselineAddUpToTheLogitOnRandomModelsOfEveryKind) {
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Model model = testing::with_random_weights(architecture, seed);
    for (const std::size_t length : testing::telling_lengths(architecture)) {
      const Bytes input = testing::random_bytes(length, seed);
      const std::size_t output = length % architecture.outputs;
      const Explanation why = explain(model, std::span<const std::byte>(input), output);
      ASSERT_EQ(why.contributions.size(), std::min<std::size_t>(length, architecture.max_len));
      const double logit = reference_logits(model, input)[output];
      ASSERT_EQ(why.logit, logit);
      ASSERT_NEAR(sum_of(why), logit, 1e-9 * std::max(1.0, std::abs(logit)))
          << length << " bytes: " << testing::describe(architecture);
    }
  }
}

TEST(ExplainTest, TheBaselineOfAPaddedModelIsTheEmptyInput) {
  const Model model = testing::small_model();
  const Explanation why = explain(model, "abc");
  EXPECT_EQ(why.baseline, reference_logits(model, {})[0]);
  const Explanation empty = explain(model, "");
  EXPECT_TRUE(empty.contributions.empty());
  EXPECT_EQ(empty.logit, empty.baseline);
}

TEST(ExplainTest, BytesEqualToThePaddingContributeNothing) {
  const Model model = testing::small_model();  // pad_token 0
  const Explanation why = explain(model, std::string_view("\0\0a\0", 4));
  EXPECT_EQ(why.contributions[0], 0);
  EXPECT_EQ(why.contributions[1], 0);
  EXPECT_NE(why.contributions[2], 0);
  EXPECT_EQ(why.contributions[3], 0);
}

/// Logits are the pooled features, and a column is its byte: nothing but the pooling is explained.
Model byte_pool(Pooling pooling, std::size_t taps = 1) {
  Model model = testing::byte_value_model(std::vector<float>(taps, 1.0F));
  model.architecture.pooling = pooling;
  return testing::with_plain_head(model);
}

TEST(ExplainTest, AMaximumIsTheWinnersAlone) {
  const Explanation why = explain(byte_pool(Pooling::max), std::span<const std::byte>(testing::bytes({3, 9, 4})));
  EXPECT_EQ(why.contributions, (std::vector<double>{0, 9, 0}));
  ASSERT_EQ(why.winners.size(), 1U);
  EXPECT_EQ(why.winners[0].channel, 0U);
  EXPECT_EQ(why.winners[0].value, 9);
  EXPECT_EQ(why.winners[0].begin, 1U);
  EXPECT_EQ(why.winners[0].end, 2U);
  EXPECT_EQ(why.winners[0].contribution, 9);
}

TEST(ExplainTest, AnAverageIsSharedByAll) {
  const Explanation why = explain(byte_pool(Pooling::avg), std::span<const std::byte>(testing::bytes({3, 9, 6})));
  ASSERT_EQ(why.contributions.size(), 3U);
  EXPECT_DOUBLE_EQ(why.contributions[0], 1);
  EXPECT_DOUBLE_EQ(why.contributions[1], 3);
  EXPECT_DOUBLE_EQ(why.contributions[2], 2);
  EXPECT_TRUE(why.winners.empty());
}

TEST(ExplainTest, AWinningWindowIsSharedByItsBytes) {
  const Explanation why = explain(byte_pool(Pooling::max, 2), std::span<const std::byte>(testing::bytes({1, 7, 5, 2})));
  EXPECT_EQ(why.contributions, (std::vector<double>{0, 7, 5, 0}));
  ASSERT_EQ(why.winners.size(), 1U);
  EXPECT_EQ(why.winners[0].begin, 1U);
  EXPECT_EQ(why.winners[0].end, 3U);
}

TEST(ExplainTest, EachOutputHasAnExplanationOfItsOwn) {
  const Model model = byte_pool(Pooling::concat_avg_max_std);
  const Bytes input = testing::bytes({2, 6, 4});
  const auto of = [&](std::size_t output) { return explain(model, std::span<const std::byte>(input), output); };
  EXPECT_DOUBLE_EQ(of(0).contributions[0], 2.0 / 3);
  EXPECT_EQ(of(1).contributions, (std::vector<double>{0, 6, 0}));
  EXPECT_NEAR(sum_of(of(2)), std::sqrt(4 + 1e-5), 1e-12);
  EXPECT_LT(of(2).contributions[2], of(2).contributions[1]) << "the byte at the mean widens the spread less";
}

TEST(ExplainTest, AMaximumBelowTheBaselinesBelongsToTheTextThatDisplacedIt) {
  // The first window of the empty input is the largest: the filter subtracts what stands one position earlier.
  Model model = testing::byte_value_model({-1.0F, 1.0F}, 4);
  model.architecture.conv_layers[0].pad_left = 1;
  model.architecture.pad_token = 200;
  model.architecture.pooling = Pooling::max;
  model = testing::with_plain_head(model);
  const Explanation why = explain(model, std::span<const std::byte>(testing::bytes({50})));
  EXPECT_EQ(why.baseline, 200);
  EXPECT_EQ(why.logit, 150);  // 200 after 50
  EXPECT_NEAR(sum_of(why), 150, 1e-9);
  EXPECT_NEAR(why.contributions[0], -50, 1e-9);
}

TEST(ExplainTest, ContributionsAreLinearInTheOutputLayer) {
  Architecture architecture = testing::random_architecture(3);
  architecture.outputs = 3;
  Model model = testing::with_random_weights(architecture, 3);
  const Bytes input = testing::random_bytes(30, 3);
  const auto first = explain(model, std::span<const std::byte>(input), 0).contributions;
  const auto second = explain(model, std::span<const std::byte>(input), 1).contributions;
  DenseWeights& last = model.weights.output;
  const std::size_t width = last.weight.size() / 3;
  for (std::size_t i = 0; i < width; ++i) last.weight[2 * width + i] = last.weight[i] - last.weight[width + i];
  const auto difference = explain(model, std::span<const std::byte>(input), 2).contributions;
  for (std::size_t i = 0; i < input.size(); ++i) EXPECT_NEAR(difference[i], first[i] - second[i], 1e-5);
}

TEST(ExplainTest, WinnersAreSortedAndTheirBytesHoldThem) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Model model = testing::with_random_weights(architecture, seed);
    const Bytes input = testing::random_bytes(architecture.max_len, seed);
    const Explanation why = explain(model, std::span<const std::byte>(input));
    EXPECT_EQ(why.winners.size(), architecture.pooling == Pooling::avg ? 0 : architecture.conv_layers.back().filters);
    for (std::size_t i = 0; i < why.winners.size(); ++i) {
      const PoolWinner& winner = why.winners[i];
      EXPECT_LE(winner.begin, winner.end);
      EXPECT_LE(winner.end, input.size());
      if (i > 0) {
        EXPECT_GE(std::abs(why.winners[i - 1].contribution), std::abs(winner.contribution));
      }
      // A change outside of the winning window may find a larger maximum, but never a smaller one.
      Bytes changed = input;
      for (std::size_t b = 0; b < changed.size(); ++b) {
        if (b < winner.begin || b >= winner.end) changed[b] ^= std::byte{1};
      }
      const auto columns = reference_layer_outputs(model, changed)[architecture.conv_layers.size() - 1];
      const std::size_t positions = columns.size() / architecture.conv_layers.back().filters;
      const auto row = columns.begin() + static_cast<std::ptrdiff_t>(winner.channel * positions);
      EXPECT_GE(*std::max_element(row, row + static_cast<std::ptrdiff_t>(positions)), winner.value - 1e-9)
          << testing::describe(architecture);
    }
  }
}

TEST(ExplainTest, RefusesAnOutputThatIsNotThereAndAnInputThatIsTooShort) {
  Model model = byte_pool(Pooling::max, 3);
  const Error output = testing::error_of([&] { return explain(model, "abc", 1); });
  EXPECT_EQ(output.code(), ErrorCode::usage) << testing::describe(output);
  EXPECT_EQ(output.found(), "1");
  const Error length = testing::error_of([&] { return explain(model, "ab"); });
  EXPECT_EQ(length.code(), ErrorCode::invalid) << testing::describe(length);
}

}  // namespace
}  // namespace bytecnn
