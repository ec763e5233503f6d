#include "verify/recorded_reference.hpp"

#include <cmath>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

#include "certificate/hexadecimal.hpp"
#include "file_bytes.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::json;

Bytes bytes_of_hex(const std::string& digits, const std::string& where) {
  auto bytes = from_hexadecimal(digits);
  if (!bytes) throw Error(ErrorCode::invalid, "not hexadecimal", where, "pairs of digits 0 to 9 and a to f");
  return std::move(*bytes);
}

Golden record_of(const Json& json, const std::string& where) {
  if (!json.is_object()) throw Error(ErrorCode::invalid, "not a record", where, "an object");
  const auto hex = json.find("input_hex");
  if (hex == json.end() || !hex->is_string()) {
    throw Error(ErrorCode::invalid, "the input is missing", where + "/input_hex", "a string of hexadecimal digits");
  }
  const auto logits = json.find("logits");
  if (logits == json.end() || !logits->is_array() || logits->empty()) {
    throw Error(ErrorCode::invalid, "the logits are missing", where + "/logits", "a list of numbers");
  }
  Golden record{bytes_of_hex(hex->get<std::string>(), where + "/input_hex"), {}};
  for (const auto& logit : *logits) {
    if (!logit.is_number()) throw Error(ErrorCode::invalid, "not a number", where + "/logits");
    record.logits.push_back(logit.get<double>());
  }
  return record;
}

bool fits_float32(const std::vector<Golden>& records) {
  for (const auto& record : records) {
    for (const double logit : record.logits) {
      if (std::abs(logit) < 3.4e38 && static_cast<double>(static_cast<float>(logit)) != logit) return false;
    }
  }
  return true;
}

/// "max_len" and "pad_token", each where it stands there.
void read_input_form(const Json& json, RecordedReference& reference) {
  const auto number = [&](const char* key, std::uint32_t least, std::uint32_t most) -> std::uint32_t {
    const auto& value = json[key];
    const std::string expected = std::to_string(least) + " to " + std::to_string(most);
    if (!value.is_number_unsigned()) {
      throw Error(ErrorCode::invalid, "not a whole number", std::string("/") + key, expected, value.dump());
    }
    const auto found = value.get<std::uint64_t>();
    if (found < least || found > most) {
      throw Error(ErrorCode::invalid, "out of range", std::string("/") + key, expected, value.dump());
    }
    return static_cast<std::uint32_t>(found);
  };
  if (json.contains("max_len") && !json["max_len"].is_null()) {
    reference.max_len = number("max_len", 1, ModelLimits::max_len);
  }
  if (json.contains("pad_token")) {
    reference.pad_token = json["pad_token"].is_null()
                              ? std::optional<std::uint32_t>()
                              : std::optional(number("pad_token", 0, ModelLimits::max_vocab_size - 1));
  }
}

}  // namespace

RecordedReference parse_reference(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::syntax, std::string("not JSON: ") + error.what());
  }
  const bool bare = json.is_array();
  const std::string place = bare ? "" : "/inputs";
  if (!bare && (!json.is_object() || !json.contains("inputs") || !json["inputs"].is_array())) {
    throw Error(ErrorCode::invalid, "no recorded inputs", "/inputs", "a list of {\"input_hex\", \"logits\"}");
  }
  const Json& list = bare ? json : json["inputs"];
  if (list.empty()) throw Error(ErrorCode::invalid, "no recorded inputs", place);
  RecordedReference reference;
  for (std::size_t i = 0; i < list.size(); ++i) {
    reference.records.push_back(record_of(list[i], place + "/" + std::to_string(i)));
  }
  if (!bare && json.contains("dtype")) {
    const auto& dtype = json["dtype"];
    if (dtype != "float64" && dtype != "float32") {
      throw Error(ErrorCode::invalid, "unknown type of numbers", "/dtype", "float64 or float32", dtype.dump());
    }
    reference.is_double = dtype == "float64";
  } else {
    reference.is_double = !fits_float32(reference.records);
  }
  if (!bare) read_input_form(json, reference);
  return reference;
}

RecordedReference load_reference(const std::string& path) {
  constexpr std::size_t largest_file = std::size_t{1} << 30U;
  const std::string text = read_small_file(path, largest_file);
  try {
    return parse_reference(text);
  } catch (const Error& error) {
    throw error.at(path);
  }
}

}  // namespace bytecnn::exporter
