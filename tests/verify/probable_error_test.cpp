// The probable bound adds squares over independent roundings, and sizes over what several channels share.

#include "verify/bound/probable_error.hpp"

#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace bytecnn::exporter::testing {
namespace {

constexpr double u = 0x1p-24;
constexpr std::size_t filters = 4;

struct Sample {
  Architecture architecture;
  std::vector<OwnErrors> own;
  std::vector<ExactTensor> weights;
  HeadErrors head;

  /// One convolution behind an embedding of two numbers, whose channels reach `logits` logits with weight 1.
  explicit Sample(std::size_t logits = 1) {
    ConvLayer layer;
    layer.filters = filters;
    layer.kernel_size = 3;
    architecture.embed_dim = 2;
    architecture.conv_layers = {layer};
    architecture.pooling = Pooling::max;
    own.push_back({std::vector<OwnError>(filters), std::vector<double>(filters, 1.0)});
    weights.push_back({std::vector<double>(filters * 2 * 3, 0.5), {}});
    head.by_feature.assign(logits, std::vector<double>(filters, 1.0));
    head.own.assign(1, std::vector<OwnError>(logits));
  }

  [[nodiscard]] double bound(double chance, const std::vector<double>& input_error = {0, 0}) const {
    return probable_errors(architecture, own, weights, head, 0, input_error, u, chance).front();
  }
};

/// What Azuma's inequality allows a sum of squares 1.
double factor(double chance, double logits = 1) {
  return std::sqrt(2 * std::log(2 * logits / chance));
}

TEST(ProbableErrors, OfIndependentRoundingsAddInSquares) {
  Sample sample;
  for (OwnError& channel : sample.own[0].channels) channel.squares = 9;
  EXPECT_NEAR(sample.bound(1e-12) / u, factor(1e-12) * 6, 1e-3);  // sqrt(4 * 9)
}

TEST(ProbableErrors, OfARoundingThatChannelsShareAddBeforeTheyAreSquared) {
  Sample sample;
  for (OwnError& channel : sample.own[0].channels) channel.shared = {3, 0};
  EXPECT_NEAR(sample.bound(1e-12) / u, factor(1e-12) * 12, 1e-3);
  for (OwnError& channel : sample.own[0].channels) channel.shared = {3, 4};
  EXPECT_NEAR(sample.bound(1e-12) / u, factor(1e-12) * 20, 1e-3);  // sqrt(12^2 + 16^2)
}

TEST(ProbableErrors, OfWhatIsKnownAddWhatTheyAre) {
  Sample sample;
  for (OwnError& channel : sample.own[0].channels) channel.known = 0.25;
  EXPECT_NEAR(sample.bound(1e-12), 1, 1e-5);
  // The embedding's errors reach every filter through all taps: 2 numbers * 4 filters * 3 taps * 0.5.
  EXPECT_NEAR(sample.bound(1e-12, {0.1, 0.1}), 1 + 0.1 * 12, 1e-5);
}

TEST(ProbableErrors, OfTwoPartsOfOneChannelAdd) {
  Sample sample;
  sample.architecture.pooling = Pooling::concat_avg_max;
  sample.head.by_feature = {std::vector<double>(2 * filters, 0.5)};
  for (OwnError& channel : sample.own[0].channels) channel.squares = 9;
  EXPECT_NEAR(sample.bound(1e-12) / u, factor(1e-12) * 6, 1e-3) << "average and maximum may be one column";
}

TEST(ProbableErrors, GrowWithTheNumberOfLogitsThatMayFail) {
  Sample sample(10);
  for (OwnError& channel : sample.own[0].channels) channel.squares = 1;
  EXPECT_NEAR(sample.bound(1e-6) / u, factor(1e-6, 10) * 2, 1e-3);
}

TEST(ProbableErrors, AreExceededNoMoreOftenThanStated) {
  constexpr double chance = 0.05;
  constexpr int draws = 20000;
  Sample sample;
  for (OwnError& channel : sample.own[0].channels) {
    channel.squares = 4;
    channel.shared = {1.5, 0.5};
  }
  const double bound = sample.bound(chance);
  std::mt19937 random(11);
  std::bernoulli_distribution up(0.5);  // the widest of what has mean zero within [-u, u]
  const auto rounding = [&] { return up(random) ? u : -u; };
  int exceeded = 0;
  int far = 0;
  for (int draw = 0; draw < draws; ++draw) {
    double sum = filters * (1.5 * rounding() + 0.5 * rounding());
    for (std::size_t i = 0; i < filters; ++i) sum += 2 * rounding();
    exceeded += std::abs(sum) > bound ? 1 : 0;
    far += std::abs(sum) > bound / 3 ? 1 : 0;
  }
  EXPECT_LE(exceeded, chance * draws);
  EXPECT_GT(far, draws / 10) << "an idle bound";
}

}  // namespace
}  // namespace bytecnn::exporter::testing
