// Two hundred random models, exported rightly and in every wrong way that the catalogue knows: the right export is
// never blamed, every wrong one is caught. Four parts, so that they run side by side.

#include "sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "random_original.hpp"
#include "wrong_export_catalogue.hpp"

namespace bytecnn::exporter::testing {
namespace {

constexpr std::size_t parts = 4;
constexpr std::size_t models_a_part = 50;

/// An oracle of its own: the largest difference of any logit over thousands of inputs, short, long, uniform and random.
double largest_difference(const Model& right, const Model& wrong, std::uint32_t seed) {
  const auto logits = [](const Model& model, const Bytes& input) {
    try {
      return reference_logits(model, input);
    } catch (const Error&) {
      return std::vector<double>(model.architecture.outputs, 1e6);  // refused as too short
    }
  };
  std::mt19937 random(seed + 77);
  double largest = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    Bytes input(random() % (right.architecture.max_len + 4), static_cast<std::byte>(random()));
    const std::size_t from = i % 3 == 0 ? input.size() : i % 3 == 1 ? 0 : random() % (input.size() + 1);
    for (std::size_t k = from; k < input.size(); ++k) input[k] = static_cast<std::byte>(random());
    const auto expected = logits(right, input);
    const auto found = logits(wrong, input);
    for (std::size_t k = 0; k < expected.size(); ++k) largest = std::max(largest, std::abs(expected[k] - found[k]));
  }
  return largest;
}

class Sensitivity : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Sensitivity, CatchesEveryMistakeAndBlamesNoRightExport) {
  std::map<std::string, std::size_t> tried;
  std::size_t all = 0;
  std::size_t equal = 0;
  const auto first = static_cast<std::uint32_t>(1 + GetParam() * 1000);
  for (const std::uint32_t seed : usable_seeds(first, models_a_part)) {
    SensitivityTrial trial(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(trial.original().architecture));
    const VerifyReport right = trial.verify_export(fold(trial.original()));
    EXPECT_TRUE(right.passed) << to_text(right);
    EXPECT_TRUE(right.differences.empty());
    for (const Mistake& mistake : mistakes()) {
      const auto wrong = mistake.make(trial.original(), seed);
      if (!wrong) continue;
      ++tried[mistake.name];
      const VerifyReport report = trial.verify_export(*wrong);
      if (report.passed) {
        // Some structures compute the same: a stride steps over what the other max_len adds, a layer of one tap does
        // not mind on which side it is padded. Only these may pass, and they are named.
        EXPECT_FALSE(report.differences.empty()) << mistake.name << "\n" << to_text(report);
        EXPECT_LT(largest_difference(fold(trial.original()), *wrong, seed), 1e-9) << mistake.name << "\n"
                                                                                  << to_text(report);
        ++equal;
      }
      ++all;
    }
  }
  EXPECT_LE(equal * 50, all);
  for (const Mistake& mistake : mistakes()) {
    EXPECT_GT(tried[mistake.name], 0U) << mistake.name << " found no model to be made in";
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Sensitivity, ::testing::Range(std::size_t{0}, parts));

TEST(SensitivityLimit, OfOneNumberIsBelowAThousandthAndRoundingIsNoDefect) {
  for (const std::uint32_t seed : usable_seeds(5000, 12)) {
    SensitivityTrial trial(seed);
    for (const std::string& kind : number_kinds()) {
      const auto off = with_one_number_off(trial.original(), kind, 1e-3, seed);
      if (!off) continue;
      SCOPED_TRACE(kind + ", seed " + std::to_string(seed));
      EXPECT_TRUE(stage_failed(trial.verify_export(*off), "weights"));
      // A unit in the last place is what another way of rounding may leave.
      const auto rounding = with_one_number_off(trial.original(), kind, 1e-7, seed);
      if (!rounding) continue;
      EXPECT_TRUE(trial.verify_export(*rounding).passed);
    }
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing
