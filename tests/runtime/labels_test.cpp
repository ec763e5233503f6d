// From logits to labels: thresholds, names, and when a result is uncertain.

#include <cmath>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::bytes;

static_assert(noexcept(std::declval<const Classifier&>().classify(std::string_view())));
static_assert(noexcept(std::declval<const Classifier&>().classify(std::span<const std::byte>())));
static_assert(noexcept(std::declval<const Classifier&>().classify(std::string_view(), std::span<float>())));
static_assert(noexcept(std::declval<const Classifier&>().classify(std::span<const std::byte>(), std::span<float>(),
                                                                  std::span<float>())));
static_assert(noexcept(std::declval<const Classifier&>().label_name(Result())));
static_assert(std::is_trivially_copyable_v<Result>);
static_assert(std::is_nothrow_move_constructible_v<Classifier> && std::is_nothrow_move_assignable_v<Classifier>);

class LabelsTest : public ::testing::TestWithParam<Isa> {
 protected:
  /// A model whose logits are these numbers, whatever the input.
  static Classifier with_logits(std::vector<float> logits, Output output, std::optional<double> threshold = {},
                                std::vector<std::string> labels = {}) {
    Model model = testing::byte_value_model();
    model.architecture.outputs = static_cast<std::uint32_t>(logits.size());
    model.architecture.output = output;
    model.weights.output.weight.assign(logits.size(), 0.0F);
    model.weights.output.bias = std::move(logits);
    model.info.threshold = threshold;
    model.info.labels = std::move(labels);
    return Classifier(std::move(model), GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, LabelsTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(LabelsTest, OneSigmoidIsTheSecondLabelFromTheThresholdOn) {
  const std::vector<std::string> labels = {"safe", "toxic"};
  const Classifier at_half = with_logits({0}, Output::sigmoid, {}, labels);
  EXPECT_EQ(at_half.threshold(), 0.5F);
  EXPECT_EQ(at_half.label_name(at_half.classify("x")), "toxic");  // p = threshold exactly
  EXPECT_NEAR(at_half.classify("x").score, 0.5F, 1e-7F);
  EXPECT_EQ(with_logits({-0.01F}, Output::sigmoid, {}, labels).classify("x").label, 0);
  EXPECT_EQ(with_logits({0.01F}, Output::sigmoid, {}, labels).classify("x").label, 1);
}

TEST_P(LabelsTest, OneSigmoidGoesByTheModelsOwnThreshold) {
  EXPECT_EQ(with_logits({1}, Output::sigmoid, 0.74).classify("x").label, 0);  // p = 0.731
  EXPECT_EQ(with_logits({1}, Output::sigmoid, 0.73).classify("x").label, 1);
  EXPECT_FLOAT_EQ(with_logits({1}, Output::sigmoid, 0.73).threshold(), 0.73F);
  const Result sure = with_logits({-20}, Output::sigmoid, 0.3).classify("x");
  EXPECT_EQ(sure.label, 0);
  EXPECT_LT(sure.score, 1e-8F);  // the probability of labels[1], not of the label
}

TEST_P(LabelsTest, SoftmaxIsTheLargestAndUncertainBelowAStatedThreshold) {
  const std::vector<float> logits = {0, std::log(6.0F), std::log(3.0F)};  // 0.1, 0.6, 0.3
  const std::vector<std::string> labels = {"red", "green", "blue"};
  const Classifier plain = with_logits(logits, Output::softmax, {}, labels);
  EXPECT_EQ(plain.label_name(plain.classify("x")), "green");
  EXPECT_NEAR(plain.classify("x").score, 0.6F, 1e-6F);
  const Classifier lenient = with_logits(logits, Output::softmax, 0.59, labels);
  EXPECT_EQ(lenient.classify("x").label, 1);
  const Classifier strict = with_logits(logits, Output::softmax, 0.61, labels);
  EXPECT_EQ(strict.classify("x").label, -1);
  EXPECT_EQ(strict.classify("x").status, Status::ok);
  EXPECT_NEAR(strict.classify("x").score, 0.6F, 1e-6F);
  EXPECT_EQ(strict.label_name(strict.classify("x")), "uncertain");
}

TEST_P(LabelsTest, SoftmaxWithoutAThresholdIsNeverUncertain) {
  const Classifier classifier = with_logits(std::vector<float>(100, 1.0F), Output::softmax);
  EXPECT_EQ(classifier.threshold(), 0.0F);
  EXPECT_EQ(classifier.classify("x").label, 0);  // the first of equals
  EXPECT_NEAR(classifier.classify("x").score, 0.01F, 1e-6F);
}

TEST_P(LabelsTest, SeveralSigmoidsHandOutEveryScoreAndNameTheHighest) {
  const Classifier classifier = with_logits({-2, 3, 1}, Output::sigmoid, 0.99);
  std::vector<float> scores(3);
  const Result result = classifier.classify("x", {}, scores);
  EXPECT_EQ(result.label, 1);  // the highest, though below the threshold: which labels reach it, the scores say
  EXPECT_NEAR(scores[0], 0.1192029F, 1e-6F);
  EXPECT_NEAR(scores[1], 0.9525741F, 1e-6F);
  EXPECT_NEAR(scores[2], 0.7310586F, 1e-6F);
  EXPECT_EQ(result.score, scores[1]);
}

TEST_P(LabelsTest, WithoutNamesLabelsAreNumbers) {
  const auto names = [](const Classifier& classifier) {
    return std::vector<std::string>(classifier.labels().begin(), classifier.labels().end());
  };
  EXPECT_EQ(names(with_logits({0}, Output::sigmoid)), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(names(with_logits({0, 0, 0}, Output::softmax)), (std::vector<std::string>{"0", "1", "2"}));
  EXPECT_EQ(names(with_logits({0, 0}, Output::sigmoid)), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(names(with_logits({0}, Output::softmax)), (std::vector<std::string>{"0"}));
}

TEST_P(LabelsTest, SoftmaxOfFarApartLogitsNeitherOverflowsNorLosesTheWinner) {
  const Classifier classifier = with_logits({-1e4F, 1e4F, 0}, Output::softmax);
  std::vector<float> scores(3);
  EXPECT_EQ(classifier.classify("x", {}, scores).label, 1);
  EXPECT_EQ(scores, (std::vector<float>{0, 1, 0}));
}

TEST_P(LabelsTest, SigmoidOfFarLogitsIsZeroOrOne) {
  EXPECT_EQ(with_logits({1e4F}, Output::sigmoid).classify("x").score, 1.0F);
  EXPECT_NEAR(with_logits({-1e4F}, Output::sigmoid).classify("x").score, 0.0F, 1e-30F);
}

TEST(StatusTest, EveryStatusHasASentence) {
  EXPECT_EQ(to_string(Status::ok), "ok");
  EXPECT_FALSE(to_string(Status::input_too_short).empty());
  EXPECT_FALSE(to_string(Status::out_of_memory).empty());
}

}  // namespace
}  // namespace bytecnn
