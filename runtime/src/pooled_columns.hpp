#pragma once
/// What the pooling keeps of columns: their number, and each channel's sum, maximum and squared distances from the
/// mean. Pieces of an input are pooled apart and put together here, in double.

#include <cstddef>
#include <span>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn {

class PooledColumns {
 public:
  /// No columns. Allocates; nothing below does.
  PooledColumns(Pooling pooling, std::size_t channels);

  void clear() noexcept;
  /// Becomes equal to `other`, which has the same pooling and channels.
  void copy(const PooledColumns& other) noexcept;

  /// Adds `count` columns whose pooled features a plan variant has left: averages, maxima and, where the pooling has
  /// them, deviations, `channels` floats each.
  void add(const float* features, double count) noexcept;
  void add(const PooledColumns& other) noexcept;

  /// Turns such features of `count` further columns into the features of all columns together, as the model pools them;
  /// what lies behind the last one becomes zero. With a count of 0 the features need not hold anything.
  void finish(std::span<float> features, double count) const noexcept;

  [[nodiscard]] std::size_t memory_bytes() const noexcept { return channels_.capacity() * sizeof(Channel); }

 private:
  struct Channel {
    double sum, maximum, squares;
  };

  [[nodiscard]] Channel channel_of(const float* features, std::size_t channel, double count) const noexcept;
  [[nodiscard]] Channel merged(const Channel& a, double a_count, const Channel& b, double b_count) const noexcept;

  Pooling pooling_;
  double count_ = 0;
  std::vector<Channel> channels_;
};

}  // namespace bytecnn
