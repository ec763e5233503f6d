#pragma once
/// The logits of many windows, gathered into one number as they come.

#include <algorithm>
#include <cmath>
#include <limits>

#include "bytecnn/stream.hpp"

namespace bytecnn {

/// One output's logits. A plain value: a copy with one window more costs nothing.
class WindowLogits {
 public:
  void add(double logit, Strategy strategy) noexcept {
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

  [[nodiscard]] double value(Strategy strategy) const noexcept {
    return strategy == Strategy::max ? largest_ : sum_ / weight_;
  }

 private:
  /// Weights are exp(logit - largest so far): a new largest logit scales down what was gathered.
  void add_weighted(double logit) noexcept {
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

}  // namespace bytecnn
