#include "verify/condition_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace bytecnn::exporter {
namespace {

std::string number(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2g", value);
  return buffer.data();
}

std::string place(const Cancellation& worst) {
  return worst.layer + ", channel " + std::to_string(worst.channel);
}

bool failed(const VerifyReport& report, std::string_view name_begins_with) {
  return std::any_of(report.stages.begin(), report.stages.end(), [&](const StageReport& stage) {
    return stage.name.starts_with(name_begins_with) && !stage.passed;
  });
}

}  // namespace

bool only_ill_conditioned(const VerifyReport& report) {
  if (!report.conditioning || !report.conditioning->exported.too_hard_for_float32()) return false;
  const bool in_double = failed(report, "weights") || failed(report, "fold") || failed(report, "reference");
  // Other labels of another output function, and inputs refused by one side, have nothing to do with rounding.
  const bool refused = std::any_of(report.stages.begin(), report.stages.end(),
                                   [](const StageReport& stage) { return stage.refused_by_one != 0; });
  return failed(report, "engine") && !in_double && !refused && report.differences.empty();
}

std::string conditioning_text(const VerifyReport& report) {
  if (!report.conditioning) return {};
  const ConditionNumber& original = report.conditioning->original;
  const ConditionNumber& exported = report.conditioning->exported;
  const std::string numbers =
      "condition number " + number(original.value) + " of the original, " + number(exported.value) + " of the export";
  if (!original.too_hard_for_float32() && !exported.too_hard_for_float32()) {
    return numbers + ": well conditioned (sums lose a factor of " +
           number(std::max(original.worst.ratio, exported.worst.ratio)) + " to cancellation)";
  }
  std::string text = numbers + ": an ill-conditioned model, terms are " + number(original.worst.ratio) +
                     " times their sums in the original (" + place(original.worst) + ")";
  text += exported.too_hard_for_float32()
              ? " and " + number(exported.worst.ratio) + " times in the export (" + place(exported.worst) + ")"
              : "; folding in double took that away, the export has " + number(exported.worst.ratio);
  if (failed(report, "weights") || failed(report, "fold")) {
    text += "; this excuses no stage that compares in double, so the export is wrong";
  }
  return text;
}

}  // namespace bytecnn::exporter
