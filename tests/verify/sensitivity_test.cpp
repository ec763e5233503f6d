// Two hundred random models, exported rightly and in every wrong way that the catalogue knows: the right export is
// never blamed, every wrong one is caught. Four parts, so that they run side by side.

#include "sensitivity.hpp"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "random_original.hpp"
#include "wrong_export_catalogue.hpp"

namespace bytecnn::exporter::testing {
namespace {

constexpr std::size_t parts = 4;
constexpr std::size_t models_a_part = 50;

class Sensitivity : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Sensitivity, CatchesEveryMistakeAndBlamesNoRightExport) {
  std::map<std::string, std::size_t> tried;
  std::size_t all = 0;
  std::size_t merely_named = 0;
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
      // A structure that happens to compute the same (no input reaches the other padding) must be named all the same.
      EXPECT_TRUE(!report.passed || !report.differences.empty()) << mistake.name << "\n" << to_text(report);
      merely_named += report.passed ? 1U : 0U;
      ++all;
    }
  }
  EXPECT_LE(merely_named * 50, all);
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
