// The report as people and programs read it.

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "verify/stage_comparison.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

VerifyReport sample(bool passed) {
  VerifyReport report;
  report.passed = passed;
  report.scale = 2;
  report.smallest_margin = 0.25;
  report.smallest_margin_input = 1;
  report.input_names = {"empty", "length 511"};
  report.torch_version = "libtorch 1.13.1";
  StageReport stage;
  stage.name = "engine avx2";
  stage.inputs = 2;
  stage.tolerance = 2e-5;
  stage.worst = passed ? 1e-6 : std::numeric_limits<double>::infinity();
  stage.worst_input = 1;
  stage.worst_place = "length 511";
  stage.worst_found = std::numeric_limits<double>::quiet_NaN();
  stage.histogram.assign(histogram_bins, 0);
  stage.histogram[10] = 2;
  stage.passed = passed;
  if (!passed) stage.first_difference = "conv2 differs first: channel 3";
  report.stages = {stage};
  return report;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(ReportText, ShowsEachStageWithItsVerdictAndWhereItWasWorst) {
  const std::string text = to_text(sample(true));
  EXPECT_TRUE(contains(text, "engine avx2  PASS")) << text;
  EXPECT_TRUE(contains(text, "length 511")) << text;
  EXPECT_TRUE(contains(text, "PASS: the export computes what the original does")) << text;
}

TEST(ReportText, SaysThatTheAssumedStructureWasNotChecked) {
  VerifyReport report = sample(true);
  EXPECT_TRUE(contains(to_text(report), "not the assumed structure"));
  report.structure_checked = true;
  EXPECT_FALSE(contains(to_text(report), "not the assumed structure"));
}

TEST(ReportText, OfAFailureSaysWhatDiffers) {
  VerifyReport report = sample(false);
  report.differences = {"pooling: avg_max in the original, max in the model"};
  const std::string text = to_text(report);
  EXPECT_TRUE(contains(text, "engine avx2  FAIL")) << text;
  EXPECT_TRUE(contains(text, "conv2 differs first: channel 3")) << text;
  EXPECT_TRUE(contains(text, "differs: pooling: avg_max in the original")) << text;
  EXPECT_FALSE(contains(text, "PASS:")) << text;
}

TEST(ReportJson, IsJsonEvenWhereNumbersAreNotFinite) {
  const auto json = nlohmann::json::parse(to_json(sample(false)));
  EXPECT_EQ(json["passed"], false);
  EXPECT_EQ(json["stages"][0]["worst"]["difference"], "infinity");
  EXPECT_EQ(json["stages"][0]["worst"]["found"], "nan");
  EXPECT_EQ(json["stages"][0]["worst"]["place"], "length 511");
  EXPECT_EQ(json["stages"][0]["histogram"].size(), json["histogram_bins"].size());
  EXPECT_EQ(json["smallest_margin"]["value"], 0.25);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
