#include <cmath>

#include <nlohmann/json.hpp>

#include "verify/stage_comparison.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

/// JSON has no infinity and no NaN.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "infinity" : "-infinity";
}

Json stage_json(const StageReport& stage) {
  Json worst{{"difference", number(stage.worst)},
             {"place", stage.worst_place},
             {"expected", number(stage.worst_expected)},
             {"found", number(stage.worst_found)}};
  if (stage.name != "weights") {
    worst["input"] = stage.worst_input;
    worst["output"] = stage.worst_output;
  }
  Json json{{"name", stage.name},
            {"passed", stage.passed},
            {stage.name == "weights" ? "numbers" : "inputs", stage.inputs},
            {"tolerance", number(stage.tolerance)},
            {"worst", std::move(worst)},
            {"mean", number(stage.mean)},
            {"worst_score_difference", number(stage.worst_score)},
            {"score_tolerance", stage.score_tolerance == 0 ? Json(nullptr) : number(stage.score_tolerance)},
            {"label_flips", stage.label_flips},
            {"refused_by_one_side", stage.refused_by_one},
            {"histogram", stage.histogram}};
  if (!stage.first_difference.empty()) json["first_difference"] = stage.first_difference;
  return json;
}

}  // namespace

std::string to_json(const VerifyReport& report) {
  const auto at = [&](double value, std::size_t input) {
    Json json{{"value", number(value)}, {"input", input}};
    if (input < report.input_names.size()) json["input_name"] = report.input_names[input];
    return json;
  };
  Json bins = Json::array({"below 1e-16"});
  for (int decade = -16; decade < 0; ++decade) bins.push_back("1e" + std::to_string(decade));
  bins.push_back("1 and above");
  Json json{{"passed", report.passed},
            {"structure_checked", report.structure_checked},
            {"original_run_by", report.torch_version},
            {"scale", number(report.scale)},
            {"seed", report.seed},
            {"inputs", report.input_names.size()},
            {"refused_as_too_short", report.refused},
            {"smallest_margin", at(report.smallest_margin, report.smallest_margin_input)},
            {"original_float32_error", at(report.float32_error, report.float32_error_input)},
            {"differences", report.differences},
            {"histogram_bins", std::move(bins)},
            {"stages", Json::array()},
            {"input_names", report.input_names}};
  for (const auto& stage : report.stages) json["stages"].push_back(stage_json(stage));
  return json.dump(1);
}

}  // namespace bytecnn::exporter
