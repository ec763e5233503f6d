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

}  // namespace

void ColumnBounds::set_separable(const SeparableColumns& columns) {
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

}  // namespace bytecnn::exporter
