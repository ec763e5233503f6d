#include "verify/bound/column_bounds.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "verify/bound/activation_error.hpp"

namespace bytecnn::exporter {
namespace {

/// Beyond this many numbers a joint bound takes too long.
constexpr std::size_t largest_separable = std::size_t{1} << 21U;

struct Extremes {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

/// Dot product in four chains.
double dot(const double* a, const double* b, std::size_t count) {
  std::array<double, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// sums += factor * values; returns the largest.
double add_and_find_largest(const double* values, double factor, std::vector<double>& sums) {
  constexpr std::size_t width = 8;
  std::array<double, width> largest;
  largest.fill(-std::numeric_limits<double>::infinity());
  std::size_t i = 0;
  for (; i + width <= sums.size(); i += width) {
    for (std::size_t j = 0; j < width; ++j) {
      const double sum = sums[i + j] + factor * values[i + j];
      sums[i + j] = sum;
      largest[j] = sum > largest[j] ? sum : largest[j];
    }
  }
  double result = *std::max_element(largest.begin(), largest.end());
  for (; i < sums.size(); ++i) {
    sums[i] += factor * values[i];
    result = std::max(result, sums[i]);
  }
  return result;
}

}  // namespace

void ColumnBounds::set_separable(const SeparableColumns& columns) {
  set_majorants(columns);
  if (majorants_.empty()) return;
  // Token after token, for running sums of all tokens side by side. Of relu's bounds these are the sharpest pair there:
  // offsets in proportion to the spread, and zero.
  const bool relu = columns.activation.kind == Activation::Kind::relu;
  upper_.resize(columns.part.size());
  lower_.resize(columns.part.size());
  for (std::size_t k = 0; k < taps_; ++k) {
    for (std::size_t t = 0; t < tokens_; ++t) {
      for (std::size_t c = 0; c < channels(); ++c) {
        const std::size_t from = (k * tokens_ + t) * channels() + c;
        const std::size_t to = (k * channels() + c) * tokens_ + t;
        upper_[to] = linear_ ? columns.part[from] : majorants_.back().values[from];
        lower_[to] = linear_ ? columns.part[from] : relu ? 0.0 : -upper_[to];
      }
    }
  }
}

void ColumnBounds::set_majorants(const SeparableColumns& columns) {
  const double lipschitz = gain(columns.activation);
  if (columns.part.size() > largest_separable || !std::isfinite(lipschitz)) return;
  taps_ = columns.taps;
  uncertainty_ = columns.uncertainty;
  tokens_ = columns.tokens;
  const std::size_t width = columns.channels;
  const bool relu = columns.activation.kind == Activation::Kind::relu;
  linear_ = columns.activation.kind == Activation::Kind::none;
  for (const double part : columns.part) largest_part_ = std::max(largest_part_, std::abs(part));

  if (!relu) {
    Majorant majorant;
    for (const double part : columns.part)
      majorant.values.push_back(lipschitz * (std::abs(part) + columns.uncertainty));
    majorants_.push_back(std::move(majorant));
    if (linear_) minorant_ = columns.part;
    return;
  }
  // relu(sum of parts) <= sum of relu(part + offset) for any offsets that sum to zero. With the offsets that give every
  // tap the same largest value, the bound of a single channel is its true maximum; with offsets in proportion to each
  // tap's spread it is as well, and flat taps are cut off less.
  std::vector<Extremes> extremes(taps_ * width);
  for (std::size_t k = 0; k < taps_; ++k) {
    for (std::size_t t = 0; t < tokens_; ++t) {
      for (std::size_t c = 0; c < width; ++c) {
        auto& found = extremes[k * width + c];
        const double part = columns.part[(k * tokens_ + t) * width + c];
        found.low = std::min(found.low, part);
        found.high = std::max(found.high, part);
      }
    }
  }
  std::vector<double> slope(width);
  std::array<std::vector<double>, 2> offsets;
  for (auto& offset : offsets) offset.resize(taps_ * width);
  for (std::size_t c = 0; c < width; ++c) {
    double low = 0;
    double high = 0;
    double spread = 0;
    for (std::size_t k = 0; k < taps_; ++k) {
      low += extremes[k * width + c].low;
      high += extremes[k * width + c].high;
      spread += extremes[k * width + c].high - extremes[k * width + c].low;
    }
    slope[c] = low >= 0 ? 1 : high <= 0 ? 0 : high / (high - low);
    for (std::size_t k = 0; k < taps_; ++k) {
      const auto& tap = extremes[k * width + c];
      const double equal = 1.0 / static_cast<double>(taps_);
      const double proportional = spread > 0 ? (tap.high - tap.low) / spread : equal;
      offsets[0][k * width + c] = std::max(high, 0.0) * equal - tap.high;
      offsets[1][k * width + c] = std::max(high, 0.0) * proportional - tap.high;
    }
    // Where the maximum is negative the offsets sum to more than zero, which only raises the bound; rounding, below.
  }
  for (const auto& offset : offsets) {
    Majorant majorant;
    majorant.values.resize(columns.part.size());
    for (std::size_t k = 0; k < taps_; ++k) {
      for (std::size_t t = 0; t < tokens_; ++t) {
        for (std::size_t c = 0; c < width; ++c) {
          const std::size_t i = (k * tokens_ + t) * width + c;
          majorant.values[i] = std::max(0.0, columns.part[i] + offset[k * width + c]) + columns.uncertainty +
                               own_rounding(largest_part_ * static_cast<double>(taps_ + 2), 4 * taps_);
        }
      }
    }
    for (const double value : majorant.values) largest_part_ = std::max(largest_part_, value);
    majorants_.push_back(std::move(majorant));
  }
  minorant_ = columns.part;
  for (std::size_t i = 0; i < minorant_.size(); ++i) {
    // The uncertainty is taken off here, so that slope * part is a lower bound with all roundings.
    minorant_[i] = slope[i % width] * (minorant_[i] - columns.uncertainty);
  }
}

double ColumnBounds::separable_sum(const std::vector<double>& values, std::span<const double> a,
                                   std::size_t first) const {
  double sum = 0;
  for (std::size_t k = 0; k < taps_; ++k) {
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t t = 0; t < tokens_; ++t) {
      const double found = dot(a.data(), &values[(k * tokens_ + t) * channels() + first], a.size());
      largest = std::max(largest, found);
    }
    sum += largest;
  }
  return sum;
}

double ColumnBounds::largest_sum(std::span<const double> a, std::size_t first) const {
  double best = 0;
  for (std::size_t c = 0; c < a.size(); ++c) best += a[c] * range[first + c].size();
  for (const auto& majorant : majorants_) best = std::min(best, separable_sum(majorant.values, a, first));
  return outward(best, a.size() * (taps_ + 1));
}

double ColumnBounds::largest_signed_sum(std::span<const double> w, std::size_t first) const {
  double best = 0;
  double sizes = 0;
  for (std::size_t c = 0; c < w.size(); ++c) {
    const Interval& x = range[first + c];
    best += std::max(w[c] * x.low, w[c] * x.high);
    sizes += std::abs(w[c]) * x.size();
  }
  if (linear_ && !minorant_.empty()) {
    best = std::min(best, separable_sum(minorant_, w, first));
  } else if (!majorants_.empty() && !minorant_.empty()) {
    // Positive weights meet the upper bound of relu, negative ones a lower bound: slope times the sum, or zero.
    for (std::size_t m = 0; m < majorants_.size(); ++m) {
      double sum = 0;
      const auto& upper = majorants_[m].values;
      const bool zero = m == 1;
      for (std::size_t k = 0; k < taps_; ++k) {
        double largest = -std::numeric_limits<double>::infinity();
        for (std::size_t t = 0; t < tokens_; ++t) {
          const std::size_t at = (k * tokens_ + t) * channels() + first;
          double found = 0;
          for (std::size_t c = 0; c < w.size(); ++c) {
            found += w[c] * (w[c] > 0 ? upper[at + c] : zero ? 0.0 : minorant_[at + c]);
          }
          largest = std::max(largest, found);
        }
        sum += largest;
      }
      best = std::min(best, sum);
    }
  }
  // Parts may be larger than the columns they sum to; their sizes bound the rounding of the sums above.
  double parts = 0;
  if (!minorant_.empty()) parts = largest_part_ * static_cast<double>(taps_);
  double weights = 0;
  for (const double weight : w) weights += std::abs(weight);
  return best + own_rounding(sizes + weights * parts, w.size() * (taps_ + 1)) +
         2 * weights * static_cast<double>(taps_) * uncertainty_;
}

PartialSums ColumnBounds::largest_partial_sums(std::span<const double> w, std::size_t first, std::size_t chain) const {
  const std::size_t width = w.size();
  PartialSums sums;
  double total = 0;
  double running = 0;
  double sizes = 0;
  for (std::size_t c = 0; c < width; ++c) {
    const Interval& x = range[first + c];
    const double most = std::max({w[c] * x.low, w[c] * x.high, 0.0});  // a column of padding outside is zero
    running = c % chain == 0 ? most : running + most;
    total += most;
    sizes += std::abs(w[c]) * std::max(x.size(), static_cast<double>(taps_) * (largest_part_ + uncertainty_));
    sums.chain.push_back(running);
    if ((c + 1) % chain == 0 || c + 1 == width) sums.total.push_back(total);
  }
  if (!upper_.empty()) {
    PartialSums joint{std::vector<double>(sums.chain.size(), 0.0), std::vector<double>(sums.total.size(), 0.0)};
    std::vector<double> chain_sums(tokens_);
    std::vector<double> totals(tokens_);
    for (std::size_t k = 0; k < taps_; ++k) {
      std::fill(totals.begin(), totals.end(), 0.0);
      for (std::size_t c = 0; c < width; ++c) {
        if (c % chain == 0) std::fill(chain_sums.begin(), chain_sums.end(), 0.0);
        const auto& bound = w[c] > 0 ? upper_ : lower_;
        joint.chain[c] += add_and_find_largest(&bound[(k * channels() + first + c) * tokens_], w[c], chain_sums);
        if ((c + 1) % chain != 0 && c + 1 != width) continue;
        joint.total[c / chain] += add_and_find_largest(chain_sums.data(), 1.0, totals);
      }
    }
    const auto meet = [](std::vector<double>& a, const std::vector<double>& b) {
      std::transform(a.begin(), a.end(), b.begin(), a.begin(),
                     [](double x, double y) { return std::min(x, std::max(y, 0.0)); });
    };
    meet(sums.chain, joint.chain);
    meet(sums.total, joint.total);
  }
  double uncertain = own_rounding(sizes, width * (taps_ + 1));
  for (const double weight : w) uncertain += 2 * std::abs(weight) * static_cast<double>(taps_) * uncertainty_;
  for (double& sum : sums.chain) sum += uncertain;
  for (double& sum : sums.total) sum += uncertain;
  return sums;
}

}  // namespace bytecnn::exporter
