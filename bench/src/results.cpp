#include "results.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

namespace bytecnn::bench {
namespace {

using Json = nlohmann::ordered_json;

Json timing_json(const Timing& timing, double first) {
  Json json = {{"name", timing.contender},
               {"median_ns", timing.median},
               {"min_ns", timing.minimum},
               {"p99_ns", timing.p99},
               {"ratio", timing.median / first}};
  if (timing.bound) json["bound_ns"] = *timing.bound;
  return json;
}

Timing read_timing(const Json& json) {
  Timing timing{json.at("name"), json.at("median_ns"), json.at("min_ns"), json.at("p99_ns"), {}};
  if (json.contains("bound_ns")) timing.bound = json.at("bound_ns").get<double>();
  return timing;
}

Json peaks_json(const Peaks& peaks) {
  return {{"isa", to_string(peaks.isa)}, {"lanes", peaks.lanes}, {"fma", peaks.fma}, {"add", peaks.add},
          {"load", peaks.load},          {"mixed", peaks.mixed}};
}

Peaks read_peaks(const Json& json) {
  return {parse_isa(json.at("isa").get<std::string>()),
          json.at("lanes"),
          json.at("fma"),
          json.at("add"),
          json.at("load"),
          json.at("mixed")};
}

Json cell_json(const Cell& cell) {
  Json json = {{"model", cell.model},
               {"kind", cell.kind},
               {"length", cell.length},
               {"difference", cell.disagreement},
               {"gigahertz", cell.gigahertz}};
  for (const Timing& timing : cell.timings) {
    json["contenders"].push_back(timing_json(timing, cell.timings.front().median));
  }
  for (const Peaks& peaks : cell.peaks) json["peaks_per_ns"].push_back(peaks_json(peaks));
  return json;
}

Cell read_cell(const Json& json) {
  Cell cell;
  cell.model = json.at("model");
  cell.kind = json.at("kind");
  cell.length = json.at("length");
  cell.disagreement = json.at("difference");
  cell.gigahertz = json.at("gigahertz");
  for (const Json& timing : json.at("contenders")) cell.timings.push_back(read_timing(timing));
  for (const Json& peaks : json.at("peaks_per_ns")) cell.peaks.push_back(read_peaks(peaks));
  return cell;
}

}  // namespace

std::string to_json(const Results& results) {
  Json json;
  json["processor"] = results.setting.processor;
  json["compiler"] = results.setting.compiler;
  json["libtorch"] = results.setting.libtorch;
  json["rounds"] = results.setting.rounds;
  for (const MeasuredModel& model : results.models) json["models"][model.name] = model.description;
  for (const Cell& cell : results.cells) json["cells"].push_back(cell_json(cell));
  return json.dump(1) + "\n";
}

Results read_results(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "cannot read", path);
  try {
    const Json json = Json::parse(file);
    Results results;
    results.setting = {json.at("processor"), json.at("compiler"), json.at("libtorch"), json.at("rounds")};
    for (const auto& [name, description] : json.at("models").items()) results.models.push_back({name, description});
    for (const Json& cell : json.at("cells")) results.cells.push_back(read_cell(cell));
    return results;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::syntax, "not the results of this program: " + std::string(error.what()), path);
  }
}

Results merge(std::span<const Results> parts) {
  Results all;
  all.setting = parts.front().setting;
  for (const Results& part : parts) {
    if (part.setting != all.setting) {
      const auto words = [](const Setting& s) {
        return s.processor + "; " + s.compiler + "; libtorch " + s.libtorch + "; " + std::to_string(s.rounds) +
               " rounds";
      };
      throw Error(ErrorCode::invalid, "results of different settings cannot stand in one table", "--merge",
                  words(all.setting), words(part.setting));
    }
    for (const MeasuredModel& model : part.models) {
      const auto same = [&](const MeasuredModel& other) { return other.name == model.name; };
      if (std::none_of(all.models.begin(), all.models.end(), same)) all.models.push_back(model);
    }
    for (const Cell& cell : part.cells) {
      const auto same = [&](const Cell& other) {
        return other.model == cell.model && other.kind == cell.kind && other.length == cell.length;
      };
      const auto old = std::find_if(all.cells.begin(), all.cells.end(), same);
      if (old == all.cells.end()) {
        all.cells.push_back(cell);
      } else {
        *old = cell;
      }
    }
  }
  return all;
}

}  // namespace bytecnn::bench
