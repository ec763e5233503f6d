#include "verify/decision.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bytecnn::exporter {
namespace {

bool chooses_one(const Architecture& architecture) {
  return architecture.output != Output::sigmoid;
}

double sigmoid_threshold(const ModelInfo& info) {
  return info.threshold.value_or(0.5);
}

}  // namespace

std::vector<bool> decide(const Architecture& architecture, const ModelInfo& info, std::span<const double> scores) {
  std::vector<bool> holds(scores.size());
  if (scores.empty()) return holds;
  if (chooses_one(architecture)) {
    const auto best = std::max_element(scores.begin(), scores.end());
    const bool certain = architecture.output != Output::softmax || !info.threshold || *best >= *info.threshold;
    holds[static_cast<std::size_t>(best - scores.begin())] = certain;
    return holds;
  }
  for (std::size_t i = 0; i < scores.size(); ++i) holds[i] = scores[i] >= sigmoid_threshold(info);
  return holds;
}

double margin(const Architecture& architecture, const ModelInfo& info, std::span<const double> scores) {
  double smallest = std::numeric_limits<double>::infinity();
  if (chooses_one(architecture)) {
    std::vector<double> sorted(scores.begin(), scores.end());
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    if (sorted.size() > 1) smallest = (sorted[0] - sorted[1]) / 2;
    if (architecture.output == Output::softmax && info.threshold && !sorted.empty()) {
      smallest = std::min(smallest, std::abs(sorted[0] - *info.threshold));
    }
    return smallest;
  }
  for (const double score : scores) smallest = std::min(smallest, std::abs(score - sigmoid_threshold(info)));
  return smallest;
}

}  // namespace bytecnn::exporter
