#include "verify/certificate.hpp"

#include <cmath>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "bytecnn/version.hpp"

#include "certificate/certificate_file.hpp"
#include "certificate/hexadecimal.hpp"
#include "certificate/model_fingerprint.hpp"
#include "findings.hpp"
#include "stated_time.hpp"
#include "verify/machine.hpp"
#include "verify/report_json.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// The sets whose stage is in the report: what another build could run was not compared.
Json compared_instruction_sets(const VerifyReport& report) {
  constexpr std::string_view prefix = "engine ";
  Json sets = Json::array();
  for (const StageReport& stage : report.stages) {
    if (stage.name.starts_with(prefix)) sets.push_back(stage.name.substr(prefix.size()));
  }
  return sets;
}

Json fingerprint_json(const Model& model) {
  const ModelFingerprint print = fingerprint(model);
  Json facts = Json::object();
  for (const Fact& fact : print.facts) facts[fact.key] = fact.value;
  Json arrays = Json::array();
  for (const ArrayFingerprint& array : print.arrays) {
    arrays.push_back({{"name", array.name}, {"shape", array.shape}, {"sha256", array.sha256}, {"rows", array.rows}});
  }
  return {{"facts", std::move(facts)}, {"arrays", std::move(arrays)}};
}

Json model_json(const VerifiedFiles& files, const Model& model) {
  return {{"file", file_name(files.model)},
          {"sha256", files.model_sha256},
          {"name", model.info.name},
          {"version", model.info.version},
          {"parameters", model.info.parameters},
          {"labels", model.info.labels},
          {"threshold", model.info.threshold ? Json(*model.info.threshold) : Json(nullptr)},
          {"fingerprint", fingerprint_json(model)}};
}

Json assumptions(const Original& original) {
  Json rows = Json::array();
  for (const Finding& finding : findings(original)) {
    rows.push_back({{"key", finding.key}, {"value", finding.value}, {"source", finding.source}});
  }
  return rows;
}

Json cases_json(const VerifyReport& report) {
  Json cases = Json::array();
  for (const RecordedCase& recorded : report.cases) {
    Json logits = Json::array();
    for (const double logit : recorded.logits) logits.push_back(json_number(logit));
    cases.push_back({{"name", report.input_names[recorded.input]},
                     {"input", recorded.input},
                     {"reasons", recorded.reasons},
                     {"input_hex", to_hexadecimal(recorded.bytes)},
                     {"logits", std::move(logits)}});
  }
  return cases;
}

}  // namespace

std::string certificate(const VerifiedFiles& files, const Original& original, const Model& model,
                        const VerifyReport& report) {
  const Machine machine = this_machine();
  const Json json{
      {"format", "bytecnn-certificate"},
      {"format_version", 1},
      {"passed", report.passed},
      {"verified", stated_time()},
      {"software",
       {{"bytecnn", BYTECNN_VERSION},
        {"original_run_by", report.torch_version},
        {"compiler", machine.compiler},
        {"processor", machine.processor},
        {"system", machine.system}}},
      {"instruction_sets", compared_instruction_sets(report)},
      {"checkpoint",
       {{"file", file_name(files.checkpoint)}, {"sha256", files.checkpoint_sha256}, {"form", files.checkpoint_form}}},
      {"model", model_json(files, model)},
      {"assumptions", assumptions(original)},
      {"report", Json::parse(to_json(report))},
      {"cases", cases_json(report)},
  };
  // Names in a checkpoint need not be UTF-8; a certificate must, and its seal is of what is written.
  Json written = Json::parse(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  written["seal"] = certificate_seal(written.dump());
  return written.dump(1) + "\n";
}

}  // namespace bytecnn::exporter
