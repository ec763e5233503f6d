#include "verify/stage_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace bytecnn::exporter {
namespace {

/// |a - b|; infinite where one of them is not finite and they are not the same.
double distance(double a, double b) noexcept {
  if (a == b) return 0;
  const double difference = std::abs(a - b);
  return std::isfinite(difference) ? difference : std::numeric_limits<double>::infinity();
}

}  // namespace

std::size_t histogram_bin(double relative_difference) noexcept {
  if (!(relative_difference >= 1e-16)) return 0;
  if (relative_difference >= 1) return histogram_bins - 1;
  const double decade = std::floor(std::log10(relative_difference));  // -16 to -1
  return static_cast<std::size_t>(std::clamp(decade + 17, 1.0, 16.0));
}

StageComparison::StageComparison(std::string name, double tolerance, double scale, double score_tolerance)
    : scale_(scale) {
  report_.name = std::move(name);
  report_.tolerance = tolerance;
  report_.score_tolerance = score_tolerance;
  report_.histogram.assign(histogram_bins, 0);
}

void StageComparison::compare(std::size_t input, std::span<const double> expected, std::span<const double> found) {
  ++report_.inputs;
  WorstInput here{input, -1, 0, 0, 0};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double other = i < found.size() ? found[i] : std::nan("");
    const double difference = distance(expected[i], other);
    sum_ += difference;
    ++differences_;
    ++report_.histogram[histogram_bin(difference / scale_)];
    if (difference > here.difference) here = {input, difference, i, expected[i], other};
  }
  if (here.difference >= 0) rank(here);
}

void StageComparison::rank(const WorstInput& candidate) {
  auto& ranked = report_.worst_inputs;
  const auto place = std::upper_bound(ranked.begin(), ranked.end(), candidate,
                                      [](const auto& a, const auto& b) { return a.difference > b.difference; });
  ranked.insert(place, candidate);
  if (ranked.size() > named_inputs) ranked.pop_back();
  const WorstInput& worst = ranked.front();
  report_.worst = worst.difference;
  report_.worst_input = worst.input;
  report_.worst_output = worst.output;
  report_.worst_expected = worst.expected;
  report_.worst_found = worst.found;
}

void StageComparison::label_flip(std::size_t input) {
  ++report_.label_flips;
  if (report_.flipped.size() < named_inputs) report_.flipped.push_back(input);
}

void StageComparison::compare_scores(std::span<const double> expected, std::span<const double> found) {
  for (std::size_t i = 0; i < std::min(expected.size(), found.size()); ++i) {
    report_.worst_score = std::max(report_.worst_score, distance(expected[i], found[i]));
  }
}

void StageComparison::refused_by_one(std::size_t input) {
  if (report_.refused_by_one++ == 0) report_.first_refused = input;
}

StageReport StageComparison::report() const {
  StageReport report = report_;
  report.mean = differences_ == 0 ? 0 : sum_ / static_cast<double>(differences_);
  const bool scores_hold = report.score_tolerance == 0 || report.worst_score <= report.score_tolerance;
  // A stage that compared nothing has shown nothing.
  report.passed = report.inputs > 0 && report.worst <= report.tolerance && scores_hold && report.label_flips == 0 &&
                  report.refused_by_one == 0;
  return report;
}

}  // namespace bytecnn::exporter
