#include "verify/report_json.hpp"

#include <cmath>

#include "verify/condition_text.hpp"
#include "verify/stage_comparison.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

nlohmann::ordered_json json_number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "infinity" : "-infinity";
}

namespace {

using Json = nlohmann::ordered_json;

Json stage_json(const StageReport& stage) {
  Json worst{{"difference", json_number(stage.worst)},
             {"place", stage.worst_place},
             {"expected", json_number(stage.worst_expected)},
             {"found", json_number(stage.worst_found)}};
  if (stage.name != "weights") {
    worst["input"] = stage.worst_input;
    worst["output"] = stage.worst_output;
  }
  Json worst_inputs = Json::array();
  for (const WorstInput& input : stage.worst_inputs) {
    worst_inputs.push_back({{"input", input.input},
                            {"difference", json_number(input.difference)},
                            {"output", input.output},
                            {"expected", json_number(input.expected)},
                            {"found", json_number(input.found)}});
  }
  Json json{{"name", stage.name},
            {"passed", stage.passed},
            {stage.name == "weights" ? "numbers" : "inputs", stage.inputs},
            {"tolerance", json_number(stage.tolerance)},
            {"worst", std::move(worst)},
            {"worst_inputs", std::move(worst_inputs)},
            {"mean", json_number(stage.mean)},
            {"worst_score_difference", json_number(stage.worst_score)},
            {"score_tolerance", stage.score_tolerance == 0 ? Json(nullptr) : json_number(stage.score_tolerance)},
            {"label_flips", stage.label_flips},
            {"flipped_inputs", stage.flipped},
            {"refused_by_one_side", stage.refused_by_one},
            {"histogram", stage.histogram}};
  if (!stage.first_difference.empty()) json["first_difference"] = stage.first_difference;
  return json;
}

Json numbers_json(const std::vector<double>& values) {
  Json numbers = Json::array();
  for (const double value : values) numbers.push_back(json_number(value));
  return numbers;
}

Json bound_json(const SideBound& side) {
  Json json{{"name", side.name},           {"logit", json_number(side.worst_logit)},
            {"output", side.worst_output}, {"score", json_number(side.score)},
            {"winograd", side.winograd},   {"logits", numbers_json(side.logits)}};
  if (!side.probable_logits.empty()) {
    json["probable"] = {{"logit", json_number(side.probable_logit)},
                        {"score", json_number(side.probable_score)},
                        {"chance", Bound::chance},
                        {"assumption", Bound::assumption},
                        {"logits", numbers_json(side.probable_logits)}};
  }
  return json;
}

Json bound_json(const Bound& bound) {
  if (!bound.unavailable.empty()) return {{"unavailable", bound.unavailable}};
  Json engines = Json::array();
  for (const SideBound& side : bound.engines) engines.push_back(bound_json(side));
  Json layers = Json::array();
  for (const LayerBound& layer : bound.layers) {
    layers.push_back({{"name", layer.name},
                      {"largest_value", json_number(layer.largest_value)},
                      {"fold_error", json_number(layer.fold_error)},
                      {"engine_error", json_number(layer.engine_error)},
                      {"channel", layer.channel}});
  }
  Json json{{"fold", bound_json(bound.fold)},
            {"engines", std::move(engines)},
            {"layers", std::move(layers)},
            {"windows", bound.windows},
            {"seconds", json_number(bound.seconds)}};
  if (!bound.not_windows.empty()) json["windows_not_run"] = bound.not_windows;
  return json;
}

Json condition_json(const ConditionNumber& condition) {
  return {{"value", json_number(condition.value)},
          {"input", condition.input},
          {"output", condition.output},
          {"worst_cancellation",
           {{"ratio", json_number(condition.worst.ratio)},
            {"layer", condition.worst.layer},
            {"channel", condition.worst.channel},
            {"position", condition.worst.position},
            {"input", condition.worst.input}}}};
}

Json cause_json(const Cause& cause) {
  return {{"stage", cause.stage},
          {"trap", cause.trap},
          {"text", cause.text},
          {"before", json_number(cause.before)},
          {"after", json_number(cause.after)},
          {"explains", cause.explains}};
}

}  // namespace

std::string to_json(const VerifyReport& report) {
  const auto at = [&](double value, std::size_t input) {
    Json json{{"value", json_number(value)}, {"input", input}};
    if (input < report.input_names.size()) json["input_name"] = report.input_names[input];
    return json;
  };
  Json bins = Json::array({"below 1e-16"});
  for (int decade = -16; decade < 0; ++decade) bins.push_back("1e" + std::to_string(decade));
  bins.push_back("1 and above");
  Json json{{"passed", report.passed},
            {"structure_checked", report.structure_checked},
            {"original_run_by", report.torch_version},
            {"scale", json_number(report.scale)},
            {"seed", report.seed},
            {"inputs", report.input_names.size()},
            {"input_kinds", Json::object()},
            {"refused_as_too_short", report.refused},
            {"smallest_margin", at(report.smallest_margin, report.smallest_margin_input)},
            {"original_float32_error", at(report.float32_error, report.float32_error_input)},
            {"differences", report.differences},
            {"histogram_bins", std::move(bins)},
            {"stages", Json::array()},
            {"bound", report.bound ? bound_json(*report.bound) : Json(nullptr)},
            {"conditioning", nullptr},
            {"causes", Json::array()}};
  for (const auto& [kind, count] : report.input_kinds) json["input_kinds"][kind] = count;
  for (const auto& stage : report.stages) json["stages"].push_back(stage_json(stage));
  if (report.conditioning) {
    json["conditioning"] = {{"original", condition_json(report.conditioning->original)},
                            {"exported", condition_json(report.conditioning->exported)},
                            {"inputs", report.conditioning->inputs},
                            {"ill_conditioned", report.conditioning->original.too_hard_for_float32() ||
                                                    report.conditioning->exported.too_hard_for_float32()},
                            {"explains_failure", only_ill_conditioned(report)},
                            {"text", conditioning_text(report)}};
  }
  for (const Cause& cause : report.causes) json["causes"].push_back(cause_json(cause));
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bytecnn::exporter
