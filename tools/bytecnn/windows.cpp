#include "windows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "bytecnn/reference.hpp"

namespace bytecnn::cli {
namespace {

/// Windows are classified this many at a time: it bounds the memory for their logits.
constexpr std::size_t windows_at_once = 1024;

/// One output's logits over the windows, folded into one number as they come.
class Aggregate {
 public:
  void add(double logit, Strategy strategy) {
    switch (strategy) {
      case Strategy::truncate:
      case Strategy::average:
        sum_ += logit;
        weight_ += 1;
        break;
      case Strategy::max:
        largest_ = std::max(largest_, logit);
        break;
      case Strategy::attention:
        add_weighted(logit);
        break;
    }
  }

  [[nodiscard]] double value(Strategy strategy) const { return strategy == Strategy::max ? largest_ : sum_ / weight_; }

 private:
  /// Weights are exp(logit - largest so far): a new largest logit scales down what was gathered.
  void add_weighted(double logit) {
    if (logit > largest_) {
      const double shrink = std::exp(largest_ - logit);
      sum_ *= shrink;
      weight_ *= shrink;
      largest_ = logit;
    }
    const double weight = std::exp(logit - largest_);
    sum_ += weight * logit;
    weight_ += weight;
  }

  double sum_ = 0;
  double weight_ = 0;
  double largest_ = -std::numeric_limits<double>::infinity();
};

}  // namespace

Result classify_windows(const Classifier& classifier, std::span<const std::byte> input, Strategy strategy,
                        std::span<float> logits, std::span<float> scores, unsigned threads) {
  const std::size_t outputs = classifier.outputs();
  const std::size_t length = std::min<std::size_t>(classifier.model().architecture.max_len, input.size());
  const std::size_t stride = std::max<std::size_t>(1, length / 2);

  std::vector<Aggregate> aggregates(outputs);
  std::vector<std::span<const std::byte>> windows;
  std::vector<Result> results;
  std::vector<float> window_logits;
  bool finished = false;
  for (std::size_t start = 0; !finished;) {
    windows.clear();
    while (!finished && windows.size() < windows_at_once) {
      finished = start + length >= input.size();
      windows.push_back(finished ? input.last(length) : input.subspan(start, length));
      start += stride;
    }
    results.resize(windows.size());
    window_logits.resize(windows.size() * outputs);
    classifier.classify_batch(windows, results, window_logits, {}, threads);
    for (std::size_t i = 0; i < windows.size(); ++i) {
      if (results[i].status != Status::ok) return results[i];
      for (std::size_t o = 0; o < outputs; ++o) aggregates[o].add(window_logits[i * outputs + o], strategy);
    }
  }

  std::vector<double> combined(outputs);
  for (std::size_t o = 0; o < outputs; ++o) combined[o] = aggregates[o].value(strategy);
  const std::vector<double> exact_scores = reference_scores(classifier.model().architecture.output, combined);
  for (std::size_t o = 0; o < outputs; ++o) {
    logits[o] = static_cast<float>(combined[o]);
    scores[o] = static_cast<float>(exact_scores[o]);
  }
  return decide(classifier, scores);
}

Result decide(const Classifier& classifier, std::span<const float> scores) {
  const Output output = classifier.model().architecture.output;
  if (scores.size() == 1 && output != Output::softmax) {
    return {Status::ok, scores[0] >= classifier.threshold() ? 1 : 0, scores[0]};
  }
  const auto best = std::max_element(scores.begin(), scores.end());
  const bool uncertain = can_be_uncertain(classifier) && *best < classifier.threshold();
  return {Status::ok, uncertain ? -1 : static_cast<std::int32_t>(best - scores.begin()), *best};
}

bool can_be_uncertain(const Classifier& classifier) {
  const Output output = classifier.model().architecture.output;
  const bool binary = classifier.outputs() == 1 && output != Output::softmax;
  return !binary && output != Output::sigmoid && classifier.model().info.threshold.has_value();
}

}  // namespace bytecnn::cli
