#include "naive_windows.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace bytecnn::testing {

std::vector<double> naive_window_logits(const Model& model, const Bytes& input, Strategy strategy) {
  const std::size_t length = model.architecture.max_len;
  if (input.size() <= length) return reference_logits(model, input);
  const std::size_t step = std::max<std::size_t>(1, length / 2);
  const std::span<const std::byte> bytes(input);
  std::vector<std::vector<double>> windows;
  for (std::size_t start = 0; start + length < input.size(); start += step) {
    windows.push_back(reference_logits(model, bytes.subspan(start, length)));
  }
  windows.push_back(reference_logits(model, bytes.last(length)));
  std::vector<double> combined;
  for (std::size_t o = 0; o < model.architecture.outputs; ++o) {
    double largest = -INFINITY;
    for (const auto& window : windows) largest = std::max(largest, window[o]);
    double sum = 0;
    double weights = 0;
    for (const auto& window : windows) {
      const double weight = strategy == Strategy::attention ? std::exp(window[o] - largest) : 1;
      sum += weight * window[o];
      weights += weight;
    }
    combined.push_back(strategy == Strategy::max ? largest : sum / weights);
  }
  return combined;
}

}  // namespace bytecnn::testing
