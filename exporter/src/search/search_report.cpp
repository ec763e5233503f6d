#include "search/search_report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <nlohmann/json.hpp>

#include "findings.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

std::string number(double value) {
  if (std::isinf(value)) return "refused";  // a record that this structure finds too short
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.2g", value);
  return buffer;
}

std::string count(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, value < 1e7 ? "%.0f" : "%.1e", value);
  return buffer;
}

std::vector<std::vector<std::string>> rows_of(const std::vector<const Structure*>& structures,
                                              const std::vector<std::string>& keys) {
  std::vector<std::vector<std::string>> rows;
  for (const Structure* structure : structures) {
    std::vector<std::string> row;
    for (const std::string& key : keys) row.push_back(value_of(structure->architecture, key));
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Keys whose values are not the same in all rows.
std::vector<std::size_t> differing(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; !rows.empty() && i < rows.front().size(); ++i) {
    const bool alike =
        std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row[i] == rows.front()[i]; });
    if (!alike) columns.push_back(i);
  }
  return columns;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += "  " + row[i] + std::string(widths[i] - row[i].size(), ' ');
    }
    text += line.erase(line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// One line a structure: its error and what it does otherwise than the others.
std::string table(const std::vector<const Structure*>& structures, const std::vector<std::string>& keys) {
  const auto values = rows_of(structures, keys);
  const std::vector<std::size_t> columns = differing(values);
  std::vector<std::vector<std::string>> lines{{"", "worst error"}};
  for (const std::size_t column : columns) lines.front().push_back(keys[column]);
  for (std::size_t i = 0; i < structures.size(); ++i) {
    std::vector<std::string> line{std::to_string(i + 1), number(structures[i]->worst)};
    for (const std::size_t column : columns) line.push_back(values[i][column]);
    if (structures[i]->recorded != Recorded::logits) {
      line.push_back("(recorded: " + std::string(to_string(structures[i]->recorded)) + ")");
    }
    lines.push_back(std::move(line));
  }
  return aligned(lines);
}

/// What all of `structures` agree in.
std::string agreed(const std::vector<const Structure*>& structures, const std::vector<std::string>& keys) {
  const auto values = rows_of(structures, keys);
  const std::vector<std::size_t> columns = differing(values);
  std::vector<std::vector<std::string>> lines;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (std::find(columns.begin(), columns.end(), i) == columns.end() && !values.front()[i].empty()) {
      lines.push_back({keys[i], values.front()[i]});
    }
  }
  return aligned(lines);
}

std::vector<const Structure*> firsts(const std::vector<StructureClass>& classes) {
  std::vector<const Structure*> found;
  for (const StructureClass& one : classes) found.push_back(&one.front());
  return found;
}

std::vector<const Structure*> pointers(const std::vector<Structure>& structures) {
  std::vector<const Structure*> found;
  for (const Structure& structure : structures) found.push_back(&structure);
  return found;
}

std::string logits_text(const std::vector<double>& logits) {
  if (logits.empty()) return "too short";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", logits.front());
  return logits.size() == 1 ? buffer : std::string(buffer) + ", ...";
}

std::string telling_text(const SearchResult& result) {
  std::string text;
  for (const TellingInput& telling : result.telling) {
    text += "  " + std::to_string(telling.first + 1) + " and " + std::to_string(telling.second + 1) +
            " are told apart by " + telling.description + ": " + logits_text(telling.first_logits) + " or " +
            logits_text(telling.second_logits) + "\n";
  }
  return text;
}

std::string closing(const SearchResult& result) {
  if (result.exhausted) return "all of them";
  if (result.timed_out) return "the likeliest first, until the time was up; more with --search-seconds";
  return "the likeliest first, and what is like the one that fits";
}

Json statement(const Architecture& architecture) {
  Json json = {{"conv_layers", Json::array()},
               {"pooling", to_string(architecture.pooling)},
               {"dense_layers", Json::array()},
               {"max_len", architecture.max_len},
               {"pad_token", nullptr}};
  if (architecture.pad_token) json["pad_token"] = *architecture.pad_token;
  for (const ConvLayer& layer : architecture.conv_layers) {
    Json row = {{"stride", layer.stride},
                {"dilation", layer.dilation},
                {"padding", {layer.pad_left, layer.pad_right}},
                {"activation", to_string(layer.activation)},
                {"residual", layer.residual}};
    if (layer.batch_norm) {
      row["batch_norm"] = {{"eps", layer.batch_norm->eps}, {"position", to_string(layer.batch_norm->position)}};
    }
    json["conv_layers"].push_back(std::move(row));
  }
  for (const DenseLayer& layer : architecture.dense_layers) {
    json["dense_layers"].push_back({{"activation", to_string(layer.activation)}});
  }
  return json;
}

Json as_json(const Structure& structure, const SearchResult& result) {
  Json json = {{"worst_error", structure.worst},  // null where it is infinite: a record is refused as too short
               {"worst_record", structure.worst_record},
               {"recorded", to_string(structure.recorded)},
               {"settled", Json::object()},
               {"architecture", statement(structure.architecture)}};
  for (const std::string& key : result.open_keys) json["settled"][key] = value_of(structure.architecture, key);
  return json;
}

Json as_json(const std::vector<Structure>& structures, const SearchResult& result) {
  Json json = Json::array();
  for (const Structure& structure : structures) json.push_back(as_json(structure, result));
  return json;
}

std::string hex_of(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[std::to_integer<std::size_t>(byte) >> 4U];
    text += digits[std::to_integer<std::size_t>(byte) & 15U];
  }
  return text;
}

}  // namespace

std::string to_text(const SearchResult& result) {
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f s", result.seconds);
  std::string text = "search: " + std::to_string(result.records) + " recorded inputs, " +
                     count(static_cast<double>(result.tried)) + " structures tried of " + count(result.possible) +
                     " (" + closing(result) + "), " + seconds + "\n";
  const std::vector<const Structure*> fits = firsts(result.fits);
  if (fits.empty()) {
    if (result.nearest.empty()) return text + "no structure could be run on the recorded inputs\n";
    text += "no structure fits (allowed: " + number(result.tolerance) + "); the nearest:\n";
    text += table(pointers(result.nearest), result.open_keys);
    const std::string common = agreed(pointers(result.nearest), result.open_keys);
    if (!common.empty()) text += "all of these have\n" + common;
    return text;
  }
  if (fits.size() == 1) {
    text += "one structure fits, worst error " + number(fits.front()->worst) +
            " (allowed: " + number(result.tolerance) + ")\n" + agreed(fits, result.open_keys);
    if (fits.front()->recorded != Recorded::logits) {
      text += "the recorded numbers are the " + std::string(to_string(fits.front()->recorded)) +
              ": record logits to have them verified\n";
    }
    if (result.max_len_unseen) text += "no recorded input was cut or padded: they say nothing about max_len\n";
  } else {
    text += std::to_string(fits.size()) + " structures fit (allowed: " + number(result.tolerance) + ")\n";
    text += table(fits, result.open_keys);
    const std::string common = agreed(fits, result.open_keys);
    if (!common.empty()) text += "all of them have\n" + common;
    text += telling_text(result);
  }
  for (std::size_t i = 0; i < result.fits.size(); ++i) {
    if (result.fits[i].size() < 2) continue;
    text += (fits.size() == 1 ? std::string("the same on every input that was tried:\n")
                              : "the same as " + std::to_string(i + 1) + " on every input that was tried:\n");
    text += table(pointers(result.fits[i]), result.open_keys);
  }
  if (!result.close.empty()) {
    constexpr std::size_t shown = 3;
    std::vector<const Structure*> close = pointers(result.close);
    close.resize(std::min(close.size(), shown));
    close.insert(close.begin(), fits.front());
    text += "within the tolerance, but further off than rounding explains (1 is what fits):\n" +
            table(close, result.open_keys);
  }
  return text;
}

std::string to_json(const SearchResult& result) {
  Json json = {{"verdict", result.fits.empty()       ? "none"
                           : result.fits.size() == 1 ? "one"
                                                     : "several"},
               {"tried", result.tried},
               {"possible", result.possible},
               {"exhausted", result.exhausted},
               {"timed_out", result.timed_out},
               {"seconds", result.seconds},
               {"records", result.records},
               {"dtype", result.is_double ? "float64" : "float32"},
               {"scale", result.scale},
               {"tolerance", result.tolerance},
               {"open", result.open_keys},
               {"max_len_unseen", result.max_len_unseen},
               {"fits", Json::array()},
               {"close", as_json(result.close, result)},
               {"nearest", as_json(result.nearest, result)},
               {"told_apart_by", Json::array()}};
  for (const StructureClass& same : result.fits) {
    Json row = as_json(same.front(), result);
    row["same"] = as_json({same.begin() + 1, same.end()}, result);
    json["fits"].push_back(std::move(row));
  }
  for (const TellingInput& telling : result.telling) {
    json["told_apart_by"].push_back({{"fits", {telling.first, telling.second}},
                                     {"input_hex", hex_of(telling.input)},
                                     {"description", telling.description},
                                     {"logits", {telling.first_logits, telling.second_logits}}});
  }
  return json.dump(2);
}

}  // namespace bytecnn::exporter
