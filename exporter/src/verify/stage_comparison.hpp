#pragma once
/// One stage's comparison, input by input.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Bins of a histogram of log10(|difference| / S): below 1e-16, then one a decade, and 1 and above.
inline constexpr std::size_t histogram_bins = 18;
[[nodiscard]] std::size_t histogram_bin(double relative_difference) noexcept;

/// How many inputs a stage names as its worst, and as flipped.
inline constexpr std::size_t named_inputs = 5;

class StageComparison {
 public:
  /// `tolerance` is that of logits times S; `score_tolerance` 0 judges no scores.
  StageComparison(std::string name, double tolerance, double scale, double score_tolerance);

  /// Both sides have numbers for this input. Numbers that are not finite differ from everything but themselves.
  void compare(std::size_t input, std::span<const double> expected, std::span<const double> found);
  void compare_scores(std::span<const double> expected, std::span<const double> found);
  void label_flip(std::size_t input);
  /// One side refuses the input as too short, the other does not.
  void refused_by_one(std::size_t input);

  /// The numbers so far, judged.
  [[nodiscard]] StageReport report() const;

 private:
  /// Keeps the few worst inputs in order.
  void rank(const WorstInput& candidate);

  StageReport report_;
  double scale_;
  double sum_ = 0;
  std::size_t differences_ = 0;
};

}  // namespace bytecnn::exporter
