// JSON_DIAGNOSTICS is defined for this source: the library's complaints then begin with the place in the document.
#include "certificate/certificate_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <string_view>
#include <system_error>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

#include "certificate/hexadecimal.hpp"
#include "certificate/sha256.hpp"

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

constexpr int newest_version = 1;

Json parse(std::string_view text) {
  try {
    Json json = Json::parse(text);
    if (!json.is_object()) throw Error(ErrorCode::syntax, "not a certificate", {}, "a JSON object", json.type_name());
    return json;
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::syntax, std::string("not JSON: ") + error.what());
  }
}

std::string seal_of(const Json& json) {
  Json unsealed = json;
  unsealed.erase("seal");
  return sha256(unsealed.dump());
}

/// Numbers that JSON does not have are written as words.
double number_of(const Json& json) {
  if (!json.is_string()) return json.get<double>();
  const auto& word = json.get_ref<const std::string&>();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (word == "infinity") return infinity;
  if (word == "-infinity") return -infinity;
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  return json.get<double>();  // throws: a string is no number
}

Certificate::File file_of(const Json& json) {
  return {json.at("file"), json.at("sha256")};
}

ModelFingerprint fingerprint_of(const Json& json) {
  ModelFingerprint print;
  for (const auto& fact : json.at("facts").get_ref<const Json::object_t&>()) {
    print.facts.push_back({fact.first, fact.second});
  }
  for (const Json& array : json.at("arrays").get_ref<const Json::array_t&>()) {
    print.arrays.push_back({array.at("name"), array.at("shape"), array.at("sha256"), array.at("rows")});
  }
  return print;
}

Certificate::Case case_of(const Json& json) {
  const std::string& digits = json.at("input_hex").get_ref<const std::string&>();
  auto input = from_hexadecimal(digits);
  if (!input)
    throw Error(ErrorCode::invalid, "an input is not hexadecimal", "/cases", "pairs of digits 0 to 9 and a to f");
  Certificate::Case found{json.at("name"), std::move(*input), {}};
  for (const Json& logit : json.at("logits").get_ref<const Json::array_t&>()) found.logits.push_back(number_of(logit));
  return found;
}

Certificate certificate_of(const Json& json) {
  Certificate certificate;
  certificate.passed = json.at("passed");
  certificate.verified = json.at("verified");
  const Json& software = json.at("software");
  certificate.bytecnn_version = software.at("bytecnn");
  certificate.original_run_by = software.at("original_run_by");
  certificate.compiler = software.at("compiler");
  certificate.processor = software.at("processor");
  certificate.instruction_sets = json.at("instruction_sets").get<std::vector<std::string>>();
  certificate.checkpoint = file_of(json.at("checkpoint"));
  certificate.model = file_of(json.at("model"));
  certificate.fingerprint = fingerprint_of(json.at("model").at("fingerprint"));
  const Json& report = json.at("report");
  certificate.inputs = report.at("inputs");
  certificate.scale = number_of(report.at("scale"));
  for (const Json& stage : report.at("stages").get_ref<const Json::array_t&>()) {
    certificate.stages.push_back({stage.at("name"), stage.at("passed"), number_of(stage.at("worst").at("difference")),
                                  number_of(stage.at("tolerance"))});
  }
  for (const Json& recorded : json.at("cases").get_ref<const Json::array_t&>()) {
    certificate.cases.push_back(case_of(recorded));
  }
  return certificate;
}

/// A verdict that its own numbers do not bear is worth nothing, whoever wrote it.
void require_consistency(const Certificate& certificate) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::invalid, "the certificate contradicts itself: " + what);
  };
  if (!certificate.passed) return;
  for (const auto& stage : certificate.stages) {
    if (!stage.passed || !(stage.worst <= stage.tolerance)) {
      refuse("it states that all holds, but not that the stage '" + stage.name + "' does");
    }
  }
  const auto has = [&](const std::string& name) {
    return std::any_of(certificate.stages.begin(), certificate.stages.end(),
                       [&](const auto& stage) { return stage.name == name; });
  };
  for (const char* name : {"weights", "fold"}) {
    if (!has(name)) refuse("it states that all holds, without the stage '" + std::string(name) + "'");
  }
  for (const auto& set : certificate.instruction_sets) {
    if (!has("engine " + set)) refuse("the instruction set " + set + " is listed, but was not compared");
  }
  if (!std::isfinite(certificate.scale) || certificate.scale < 1) refuse("S is below 1 or not finite");
}

}  // namespace

double Certificate::engine_tolerance() const noexcept {
  double tolerance = 0;
  for (const Stage& stage : stages) {
    if (stage.name.starts_with("engine ")) tolerance = std::max(tolerance, stage.tolerance);
  }
  return tolerance;
}

std::string certificate_seal(std::string_view json) {
  return seal_of(parse(json));
}

Certificate parse_certificate(std::string_view text) {
  const Json json = parse(text);
  try {
    if (json.at("format") != "bytecnn-certificate") {
      throw Error(ErrorCode::invalid, "not a certificate", "/format", "\"bytecnn-certificate\"",
                  json.at("format").dump());
    }
    const int version = json.at("format_version");
    if (version < 1 || version > newest_version) {
      throw Error(ErrorCode::unsupported, "a certificate of another version of the format", "/format_version",
                  "at most " + std::to_string(newest_version), std::to_string(version));
    }
    if (json.at("seal") != seal_of(json)) {
      throw Error(ErrorCode::invalid,
                  "the certificate was altered after it was written: its seal does not fit its content; "
                  "run 'bytecnn verify --report' again",
                  "/seal");
    }
    Certificate certificate = certificate_of(json);
    require_consistency(certificate);
    return certificate;
  } catch (const Json::exception& error) {
    const std::string_view message = error.what();  // "[json.exception.type_error.302] type must be ..."
    throw Error(ErrorCode::invalid, "not a certificate as 'bytecnn verify --report FILE.json' writes it: " +
                                        std::string(message.substr(message.find(']') + 2)));
  }
}

Certificate load_certificate(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "cannot open the file: " + std::generic_category().message(errno), path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) throw Error(ErrorCode::io, "cannot read the file", path);
  try {
    return parse_certificate(text);
  } catch (const Error& error) {
    throw error.at(path);
  }
}

}  // namespace bytecnn
