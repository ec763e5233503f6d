// How two rows of numbers are compared, and what makes a stage hold.

#include <limits>

#include <gtest/gtest.h>

#include "verify/decision.hpp"
#include "verify/recorded_cases.hpp"
#include "verify/stage_comparison.hpp"

namespace bytecnn::exporter::testing {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

StageReport compared(const std::vector<double>& expected, const std::vector<double>& found) {
  StageComparison stage("stage", 1e-5, 1, 1e-5);
  stage.compare(0, expected, found);
  return stage.report();
}

TEST(StageComparison, HoldsUpToItsToleranceAndNotBeyond) {
  EXPECT_TRUE(compared({1, 2}, {1 + 9e-6, 2}).passed);
  EXPECT_FALSE(compared({1, 2}, {1, 2 + 2e-5}).passed);
}

TEST(StageComparison, NamesTheWorstPlaceWithBothNumbers) {
  StageComparison stage("stage", 1, 1, 0);
  stage.compare(4, std::vector<double>{1, 2}, std::vector<double>{1, 2.25});
  stage.compare(7, std::vector<double>{3, 4}, std::vector<double>{3.5, 4});
  stage.compare(8, std::vector<double>{5, 6}, std::vector<double>{5.25, 6});
  const auto report = stage.report();
  EXPECT_EQ(report.worst, 0.5);
  EXPECT_EQ(report.worst_input, 7U);
  EXPECT_EQ(report.worst_output, 0U);
  EXPECT_EQ(report.worst_expected, 3);
  EXPECT_EQ(report.worst_found, 3.5);
  EXPECT_DOUBLE_EQ(report.mean, 1.0 / 6);
}

TEST(StageComparison, NeverHoldsWhereANumberIsMissingOrNotANumber) {
  EXPECT_FALSE(compared({1, 2}, {1, not_a_number}).passed);
  EXPECT_FALSE(compared({not_a_number}, {not_a_number}).passed);
  EXPECT_FALSE(compared({1}, {infinity}).passed);
  EXPECT_FALSE(compared({1, 2}, {1}).passed);
}

TEST(StageComparison, ThatComparedNothingHasShownNothing) {
  EXPECT_FALSE(StageComparison("stage", 1, 1, 0).report().passed);
}

TEST(StageComparison, FailsByScoresFlipsAndRefusalsAlone) {
  const std::vector<double> one{1};
  StageComparison scores("scores", 1, 1, 1e-5);
  scores.compare(0, one, one);
  scores.compare_scores(std::vector<double>{0.5}, std::vector<double>{0.5001});
  EXPECT_FALSE(scores.report().passed);

  StageComparison flips("flips", 1, 1, 0);
  flips.compare(0, one, one);
  flips.label_flip(0);
  EXPECT_FALSE(flips.report().passed);

  StageComparison refusals("refusals", 1, 1, 0);
  refusals.compare(0, one, one);
  refusals.refused_by_one(3);
  EXPECT_FALSE(refusals.report().passed);
}

TEST(StageComparison, NamesTheFewWorstInputsInOrder) {
  StageComparison stage("some", 1, 1, 0);
  const std::vector<double> zero{0, 0};
  const std::vector<double> found{0.1, 0.5, 0.2, 0.5, 0.4, 0.3, 0.05};
  for (std::size_t i = 0; i < found.size(); ++i) stage.compare(i, zero, std::vector<double>{found[i] / 2, found[i]});
  const StageReport report = stage.report();
  ASSERT_EQ(report.worst_inputs.size(), named_inputs);
  std::vector<std::size_t> order;
  for (const auto& worst : report.worst_inputs) order.push_back(worst.input);
  EXPECT_EQ(order, (std::vector<std::size_t>{1, 3, 4, 5, 2}));
  EXPECT_EQ(report.worst_inputs.front().output, 1U);
  EXPECT_EQ(report.worst, 0.5);
  EXPECT_EQ(report.worst_input, 1U);
}

TEST(RecordedCases, HoldEachTellingInputOnceWithAllItsReasons) {
  VerifyReport report;
  report.stages.resize(2);
  report.stages[0].name = "fold";
  report.stages[0].worst_inputs = {{2, 1e-9, 0, 1, 1}, {0, 1e-10, 0, 1, 1}};
  report.stages[1].name = "engine avx2";
  report.stages[1].worst_inputs = {{2, 1e-6, 0, 1, 1}};
  report.stages[1].flipped = {1};
  report.smallest_margin_input = 0;
  report.float32_error_input = 3;  // too large to be kept
  const std::vector<NamedInput> inputs{
      {"a", Bytes(1)}, {"b", Bytes(2)}, {"c", Bytes(3)}, {"d", Bytes(largest_recorded_input + 1)}};
  const auto cases =
      recorded_cases(report, inputs, {std::vector<double>{1}, std::nullopt, std::vector<double>{3}, std::nullopt});
  ASSERT_EQ(cases.size(), 3U);
  EXPECT_EQ(cases[0].input, 2U);
  EXPECT_EQ(cases[0].reasons.size(), 2U);
  EXPECT_EQ(cases[0].logits, std::vector<double>{3});
  EXPECT_EQ(cases[1].input, 0U);
  EXPECT_EQ(cases[1].reasons.size(), 2U);
  EXPECT_EQ(cases[2].input, 1U);
  EXPECT_TRUE(cases[2].logits.empty());
}

TEST(Histogram, HasABinForEveryDecade) {
  EXPECT_EQ(histogram_bin(0), 0U);
  EXPECT_EQ(histogram_bin(9e-17), 0U);
  EXPECT_EQ(histogram_bin(1.5e-16), 1U);
  EXPECT_EQ(histogram_bin(2e-7), 10U);
  EXPECT_EQ(histogram_bin(0.5), 16U);
  EXPECT_EQ(histogram_bin(1), 17U);
  EXPECT_EQ(histogram_bin(infinity), 17U);
}

TEST(Decision, OfOneSigmoidOutputIsItsThreshold) {
  Architecture architecture;
  architecture.outputs = 1;
  architecture.output = Output::sigmoid;
  ModelInfo info;
  EXPECT_TRUE(decide(architecture, info, std::vector<double>{0.5})[0]);
  EXPECT_FALSE(decide(architecture, info, std::vector<double>{0.49})[0]);
  info.threshold = 0.9;
  EXPECT_FALSE(decide(architecture, info, std::vector<double>{0.8})[0]);
  EXPECT_NEAR(margin(architecture, info, std::vector<double>{0.8}), 0.1, 1e-12);
}

TEST(Decision, OfSoftmaxIsTheBestAboveTheThreshold) {
  Architecture architecture;
  architecture.outputs = 3;
  architecture.output = Output::softmax;
  ModelInfo info;
  const std::vector<double> scores{0.2, 0.5, 0.3};
  EXPECT_EQ(decide(architecture, info, scores), (std::vector<bool>{false, true, false}));
  EXPECT_NEAR(margin(architecture, info, scores), 0.1, 1e-12);
  info.threshold = 0.6;
  EXPECT_EQ(decide(architecture, info, scores), std::vector<bool>(3));
}

}  // namespace
}  // namespace bytecnn::exporter::testing
