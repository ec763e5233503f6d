#include "pooled_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bytecnn {
namespace {

constexpr double variance_floor = 1e-5;  // of `Pooling::concat_avg_max_std`

}  // namespace

PooledColumns::PooledColumns(Pooling pooling, std::size_t channels) : pooling_(pooling), channels_(channels) {
  clear();
}

void PooledColumns::clear() noexcept {
  count_ = 0;
  std::ranges::fill(channels_, Channel{0, -std::numeric_limits<double>::infinity(), 0});
}

void PooledColumns::copy(const PooledColumns& other) noexcept {
  count_ = other.count_;
  std::ranges::copy(other.channels_, channels_.begin());
}

PooledColumns::Channel PooledColumns::channel_of(const float* features, std::size_t channel,
                                                 double count) const noexcept {
  const std::size_t channels = channels_.size();
  const auto average = static_cast<double>(features[channel]);
  Channel result{average * count, static_cast<double>(features[channels + channel]), 0};
  if (pooling_ == Pooling::concat_avg_max_std && count > 1) {  // the deviation of one column is no number
    const auto deviation = static_cast<double>(features[2 * channels + channel]);
    result.squares = std::max(0.0, deviation * deviation - variance_floor) * (count - 1);
  }
  return result;
}

/// Variances by the formula of Chan, Golub and LeVeque (1983).
PooledColumns::Channel PooledColumns::merged(const Channel& a, double a_count, const Channel& b,
                                             double b_count) const noexcept {
  Channel result{a.sum + b.sum, std::max(a.maximum, b.maximum), 0};
  if (pooling_ == Pooling::concat_avg_max_std && a_count > 0 && b_count > 0) {
    const double distance = a.sum / a_count - b.sum / b_count;
    result.squares = a.squares + b.squares + distance * distance * a_count * b_count / (a_count + b_count);
  } else {
    result.squares = a.squares + b.squares;
  }
  return result;
}

void PooledColumns::add(const float* features, double count) noexcept {
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    channels_[c] = merged(channels_[c], count_, channel_of(features, c, count), count);
  }
  count_ += count;
}

void PooledColumns::add(const PooledColumns& other) noexcept {
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    channels_[c] = merged(channels_[c], count_, other.channels_[c], other.count_);
  }
  count_ += other.count_;
}

void PooledColumns::finish(std::span<float> features, double count) const noexcept {
  const std::size_t channels = channels_.size();
  const double total = count_ + count;
  for (std::size_t c = 0; c < channels; ++c) {
    const Channel all =
        count > 0 ? merged(channels_[c], count_, channel_of(features.data(), c, count), count) : channels_[c];
    const double average = all.sum / total;
    switch (pooling_) {
      case Pooling::max:
        features[c] = static_cast<float>(all.maximum);
        break;
      case Pooling::avg:
        features[c] = static_cast<float>(average);
        break;
      case Pooling::avg_max:
        features[c] = static_cast<float>((average + all.maximum) / 2);
        break;
      case Pooling::concat_avg_max_std:
        features[2 * channels + c] = static_cast<float>(std::sqrt(all.squares / (total - 1) + variance_floor));
        [[fallthrough]];
      case Pooling::concat_avg_max:
        features[c] = static_cast<float>(average);
        features[channels + c] = static_cast<float>(all.maximum);
        break;
    }
  }
  const bool two = pooling_ == Pooling::concat_avg_max;
  const std::size_t parts = pooling_ == Pooling::concat_avg_max_std ? 3 : two ? 2 : 1;
  std::ranges::fill(features.subspan(parts * channels), 0.0F);
}

}  // namespace bytecnn
