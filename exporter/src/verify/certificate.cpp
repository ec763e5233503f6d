#include "verify/certificate.hpp"

#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "bytecnn/isa.hpp"
#include "bytecnn/version.hpp"

#include "findings.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

std::string now() {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

std::string certificate(const VerifiedFiles& files, const Original& original, const VerifyReport& report) {
  Json isas = Json::array();
  for (const Isa isa : supported_isas()) {
    if (isa != Isa::reference) isas.push_back(to_string(isa));
  }
  Json assumed = Json::array();
  for (const Finding& finding : findings(original)) {
    assumed.push_back({{"key", finding.key}, {"value", finding.value}, {"source", finding.source}});
  }
  const Json json{
      {"format", "bytecnn-certificate"},
      {"format_version", 1},
      {"bytecnn_version", BYTECNN_VERSION},
      {"verified", now()},
      {"checkpoint",
       {{"file", file_name(files.checkpoint)}, {"sha256", files.checkpoint_sha256}, {"form", files.checkpoint_form}}},
      {"model", {{"file", file_name(files.model)}, {"sha256", files.model_sha256}}},
      {"instruction_sets", std::move(isas)},
      {"original", std::move(assumed)},
      {"report", Json::parse(to_json(report))},
  };
  // Names in a checkpoint need not be UTF-8; a certificate must.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace bytecnn::exporter
