#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "verify/condition_text.hpp"
#include "verify/stage_comparison.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {
namespace {

std::string short_number(double number) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2g", number);
  return buffer.data();
}

std::string exact_number(double number) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.7g", number);
  return buffer.data();
}

/// The histogram as bars of eighths, from the first decade that occurs to the last: "1e-11 ▂▅█▃ 1e-8".
std::string bars(const std::vector<std::size_t>& histogram) {
  constexpr std::array<std::string_view, 9> eighths{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto occurs = [](std::size_t count) { return count != 0; };
  const auto first = std::find_if(histogram.begin(), histogram.end(), occurs);
  if (first == histogram.end()) return "-";
  const auto last = std::find_if(histogram.rbegin(), histogram.rend(), occurs).base();
  const std::size_t most = *std::max_element(first, last);
  const auto edge = [&](auto place) {
    const auto bin = place - histogram.begin();
    if (bin == 0) return std::string("0");
    return bin == 17 ? std::string("1") : "1e" + std::to_string(bin - 17);
  };
  std::string text = edge(first) + " ";
  for (auto bin = first; bin != last; ++bin) {
    text += eighths[*bin == 0 ? 0 : 1 + (*bin * 7) / most];
  }
  return text + " " + (last == histogram.end() ? "more" : edge(last));
}

/// Characters, not bytes: the bars are UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += "  " + row[i] + std::string(widths[i] - width(row[i]), ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// "for no input of any kind can a logit differ by more than ...".
std::string bound_text(const Bound& bound) {
  if (!bound.unavailable.empty()) return "  no bound for every input: " + bound.unavailable + "\n";
  const auto side = [](const SideBound& found) {
    return short_number(found.worst_logit) + " on a logit, " + short_number(found.score) + " on a score";
  };
  const auto worst = std::max_element(bound.engines.begin(), bound.engines.end(),
                                      [](const auto& a, const auto& b) { return a.worst_logit < b.worst_logit; });
  std::string text = "  for no input of any kind can the export differ by more than\n    " + side(bound.fold) +
                     " (its numbers, in double)\n";
  if (worst != bound.engines.end()) {
    text += "    " + side(*worst) + " (" + worst->name + (worst->winograd ? ", with Winograd's algorithm" : "") +
            ": the worst instruction set)\n";
  }
  text += bound.windows == 0 ? "    by interval and running-error analysis, the worst of everything at once\n"
                             : "    by " + std::to_string(bound.windows) +
                                   " windows of the first layer, one by one, and running-error analysis behind it\n";
  if (worst != bound.engines.end() && !worst->probable_logits.empty()) {
    const auto likely = std::max_element(bound.engines.begin(), bound.engines.end(), [](const auto& a, const auto& b) {
      return a.probable_logit < b.probable_logit;
    });
    text += "  with a chance of at most " + short_number(Bound::chance) + " can the engine differ by more than\n    " +
            short_number(likely->probable_logit) + " on a logit, " + short_number(likely->probable_score) +
            " on a score\n    (" + Bound::assumption + ")\n";
  }
  if (!bound.not_windows.empty()) text += "    --exhaustive ran no windows: " + bound.not_windows + "\n";
  return text;
}

}  // namespace

std::string to_text(const VerifyReport& report) {
  std::vector<std::vector<std::string>> rows{
      {"stage", "", "worst", "allowed", "mean", "score", "flips", "|difference| / S", "worst at"}};
  for (const auto& stage : report.stages) {
    rows.push_back({stage.name, stage.passed ? "PASS" : "FAIL", short_number(stage.worst),
                    short_number(stage.tolerance), short_number(stage.mean), short_number(stage.worst_score),
                    std::to_string(stage.label_flips), bars(stage.histogram), stage.worst_place});
  }
  std::string text = aligned(rows);

  const auto name_of = [&](std::size_t input) {
    return input < report.input_names.size() ? report.input_names[input] : std::string("-");
  };
  text += "  " + std::to_string(report.input_names.size()) + " inputs (seed " + std::to_string(report.seed) +
          "), S = " + exact_number(report.scale) + " = max(1, largest |logit|), original in double by " +
          report.torch_version + "\n";
  if (report.refused != 0) {
    text += "  " + std::to_string(report.refused) + " inputs are too short for this model, which does not pad\n";
  }
  text += "  its own float32 run is off by " + short_number(report.float32_error) + " at most (" +
          name_of(report.float32_error_input) + "); smallest margin to another label " +
          short_number(report.smallest_margin) + " (" + name_of(report.smallest_margin_input) + ")\n";
  if (const std::string condition = conditioning_text(report); !condition.empty()) text += "  " + condition + "\n";
  if (report.bound) text += bound_text(*report.bound);
  if (report.arithmetic != bytecnn::Arithmetic::float32) {
    text += "  engines in " + std::string(to_string(report.arithmetic)) +
            ": rounding the first layer to whole numbers moves no logit of any input by more than " +
            short_number(report.arithmetic_error_bound) + ",\n  which is allowed beside the tolerance of float32\n";
  }
  for (const auto& difference : report.differences) text += "  differs: " + difference + "\n";
  if (report.passed && report.searched_for_difference != 0) {
    text += "  the stated structures differ, but none of " + std::to_string(report.searched_for_difference) +
            " inputs searched for it shows a difference\n";
  }
  for (const auto& stage : report.stages) {
    if (stage.passed) continue;
    text += "  " + stage.name + " fails: ";
    if (stage.worst > stage.tolerance && stage.name != "weights") {
      text += "logit " + std::to_string(stage.worst_output) + " is " + exact_number(stage.worst_expected) + ", not " +
              exact_number(stage.worst_found) + "; ";
    }
    if (stage.score_tolerance != 0 && stage.worst_score > stage.score_tolerance) {
      text += "scores differ by " + short_number(stage.worst_score) + "; ";
    }
    if (stage.inputs == 0) text += "no input could be compared; ";
    if (stage.refused_by_one != 0) text += std::to_string(stage.refused_by_one) + " inputs are refused by one side; ";
    const auto told = std::find_if(report.stages.begin(), report.stages.end(), [&](const StageReport& other) {
      return !other.passed && other.first_difference == stage.first_difference;
    });
    text += (told->name == stage.name ? stage.first_difference : "see " + told->name) + "\n";
  }
  for (const Cause& cause : report.causes) {
    text += "  likeliest cause: " + cause.text;
    if (cause.before > 0) {
      text += " (made again on the original, it takes the worst difference from " + short_number(cause.before) +
              " to " + short_number(cause.after) + ")";
    }
    text += "\n";
  }
  if (!report.structure_checked) {
    text +=
        "  folding and arithmetic were checked, not the assumed structure (pooling, order, eps, padding): for that,\n"
        "  give a TorchScript file or numbers recorded from Python (--reference)\n";
  }
  if (only_ill_conditioned(report)) {
    return text + "  FAIL: the export is right in double, but the model is too ill-conditioned for float32\n";
  }
  return text + (report.passed ? "  PASS: the export computes what the original does\n"
                               : "  FAIL: the export does not compute what the original does\n");
}

}  // namespace bytecnn::exporter
