#include "tables.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>

#include "measurement.hpp"

namespace bytecnn::bench {
namespace {

/// Three significant digits.
std::string number(double value) {
  char text[32];
  const int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", share * 100);
  return text;
}

template <class T>
void add_once(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

/// Cells of one model.
class ModelResults {
 public:
  ModelResults(const Results& results, const MeasuredModel& model) : model_(model) {
    for (const Cell& cell : results.cells) {
      if (cell.model != model.name) continue;
      cells_.push_back(&cell);
      add_once(kinds_, cell.kind);
      add_once(lengths_, cell.length);
    }
  }

  [[nodiscard]] bool empty() const { return cells_.empty(); }
  [[nodiscard]] const MeasuredModel& model() const { return model_; }
  [[nodiscard]] const std::vector<std::string>& kinds() const { return kinds_; }
  [[nodiscard]] const std::vector<std::size_t>& lengths() const { return lengths_; }
  [[nodiscard]] const std::vector<Timing>& contenders() const { return cells_.front()->timings; }

  [[nodiscard]] const Cell* find(std::string_view kind, std::size_t length) const {
    for (const Cell* cell : cells_) {
      if (cell->kind == kind && cell->length == length) return cell;
    }
    return nullptr;
  }

 private:
  const MeasuredModel& model_;
  std::vector<const Cell*> cells_;
  std::vector<std::string> kinds_;
  std::vector<std::size_t> lengths_;
};

/// A table: `rows` down, lengths across; `content` may have nothing to say.
using Content = std::function<std::optional<std::string>(const std::string& row, std::size_t length)>;

std::string table(const std::string& title, const std::vector<std::string>& rows,
                  const std::vector<std::size_t>& lengths, const Content& content) {
  std::string text = "| " + title + " |";
  for (const std::size_t length : lengths) text += " " + std::to_string(length) + " B |";
  text += "\n|---|" + [&] {
    std::string line;
    for (std::size_t i = 0; i < lengths.size(); ++i) line += "---:|";
    return line;
  }() + "\n";
  for (const std::string& row : rows) {
    std::string line = "| " + row + " |";
    bool said = false;
    for (const std::size_t length : lengths) {
      const auto entry = content(row, length);
      said = said || entry;
      line += " " + entry.value_or("-") + " |";
    }
    if (said) text += line + "\n";
  }
  return text + "\n";
}

std::string model_tables(const ModelResults& results) {
  const MeasuredModel& model = results.model();
  const std::string& kind = results.kinds().front();
  std::vector<std::string> names;
  for (const Timing& timing : results.contenders()) names.push_back(timing.contender);

  // `select` picks what a row shows out of a cell and its timing.
  const auto by_contender = [&](auto select) {
    return [&, select](const std::string& row, std::size_t length) -> std::optional<std::string> {
      const Cell* cell = results.find(kind, length);
      if (cell == nullptr) return std::nullopt;
      for (const Timing& timing : cell->timings) {
        if (timing.contender == row) return select(*cell, timing);
      }
      return std::nullopt;
    };
  };

  std::string text = "### " + model.name + "\n\n" + model.description + "\n\n";
  text += table("times as long as " + names.front() + ", " + kind, names, results.lengths(),
                by_contender([](const Cell& cell, const Timing& timing) -> std::optional<std::string> {
                  return number(timing.median / cell.timings.front().median);
                }));
  const auto registers = std::find(names.begin(), names.end(), "registers direct");
  if (registers != names.end()) {
    std::vector<std::string> engine;
    std::copy_if(names.begin(), names.end(), std::back_inserter(engine),
                 [](const std::string& name) { return name.starts_with("bytecnn "); });
    text += table("times as fast as " + *registers, engine, results.lengths(),
                  by_contender([&](const Cell& cell, const Timing& timing) -> std::optional<std::string> {
                    const auto place = std::find_if(cell.timings.begin(), cell.timings.end(),
                                                    [&](const Timing& other) { return other.contender == *registers; });
                    if (place == cell.timings.end()) return std::nullopt;
                    return number(place->median / timing.median);
                  }));
  }
  text += table("us a text: median (min, p99)", names, results.lengths(),
                by_contender([](const Cell&, const Timing& timing) -> std::optional<std::string> {
                  return number(timing.median / 1000) + " (" + number(timing.minimum / 1000) + ", " +
                         number(timing.p99 / 1000) + ")";
                }));
  text += table("share of its bound", names, results.lengths(),
                by_contender([](const Cell&, const Timing& timing) -> std::optional<std::string> {
                  return timing.bound ? std::optional(percent(*timing.bound / timing.median)) : std::nullopt;
                }));
  for (const std::string& name : names) {
    if (results.kinds().size() < 2 || (name != names.front() && name != names.front() + " batches")) continue;
    text += table(name + ", us a text by kind of text", results.kinds(), results.lengths(),
                  [&](const std::string& row, std::size_t length) -> std::optional<std::string> {
                    const Cell* cell = results.find(row, length);
                    if (cell == nullptr) return std::nullopt;
                    for (const Timing& timing : cell->timings) {
                      if (timing.contender == name) return number(timing.median / 1000);
                    }
                    return std::nullopt;
                  });
  }
  return text;
}

/// Over all cells, the medians of the medians.
std::vector<Peaks> overall_peaks(const Results& results) {
  std::vector<Peaks> overall = results.cells.front().peaks;
  for (std::size_t i = 0; i < overall.size(); ++i) {
    const auto over_cells = [&](double Peaks::*rate) {
      std::vector<double> rates;
      for (const Cell& cell : results.cells) rates.push_back(cell.peaks[i].*rate);
      return median(rates);
    };
    for (double Peaks::*rate : {&Peaks::fma, &Peaks::add, &Peaks::load, &Peaks::mixed}) {
      overall[i].*rate = over_cells(rate);
    }
  }
  return overall;
}

double overall_gigahertz(const Results& results) {
  std::vector<double> clocks;
  for (const Cell& cell : results.cells) clocks.push_back(cell.gigahertz);
  return median(clocks);
}

double worst_disagreement(const Results& results) {
  double worst = 0;
  for (const Cell& cell : results.cells) worst = std::max(worst, cell.disagreement);
  return worst;
}

}  // namespace

std::string to_markdown(const Results& results) {
  char disagreement[32];
  std::snprintf(disagreement, sizeof disagreement, "%.1e", worst_disagreement(results));
  const double gigahertz = overall_gigahertz(results);
  std::string text = "- processor: " + results.setting.processor + ", at " + number(gigahertz) +
                     " GHz; one thread unless stated\n- compiler: " + results.setting.compiler +
                     "\n- libtorch: " + results.setting.libtorch + "\n- medians of " +
                     std::to_string(results.setting.rounds) + " interleaved rounds, batch size one unless stated\n" +
                     "- all contenders agree; worst difference of a logit " + disagreement + " S\n\n";
  text +=
      "| vector operations a cycle | lanes | FMA | add | aligned load | add and integer max mixed |\n"
      "|---|---:|---:|---:|---:|---:|\n";
  for (const Peaks& peaks : overall_peaks(results)) {
    text += "| " + std::string(to_string(peaks.isa)) + " | " + std::to_string(peaks.lanes);
    for (const double rate : {peaks.fma, peaks.add, peaks.load, peaks.mixed}) text += " | " + number(rate / gigahertz);
    text += " |\n";
  }
  text += "\n";
  for (const MeasuredModel& model : results.models) {
    const ModelResults of_model(results, model);
    if (!of_model.empty()) text += model_tables(of_model);
  }
  return text;
}

}  // namespace bytecnn::bench
