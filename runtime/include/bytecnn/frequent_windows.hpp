#pragma once
/// Which windows of bytes are frequent in some texts: for `Model::frequent_windows`, so that batches are fast from the
/// first one on. `bytecnn tune` is the same as a program.
///
///     bytecnn::FrequentWindowCounter counter(model.architecture);
///     for (const auto text : texts) counter.count(text);
///     model.frequent_windows = counter.most_frequent(4096);
///     bytecnn::save_model(model, "model.json");

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// Counts the windows that a model's first conv layer sees. One thread at a time may use it. Its memory grows with the
/// number of different windows, of which there are at most some 16.7 million: 16 to 32 bytes each. Throws
/// `std::bad_alloc` where that is not to be had.
class FrequentWindowCounter {
 public:
  /// Throws `Error` (unsupported) where batches look up no windows of such a layer: it has more than three taps, or the
  /// vocabulary more than 511 tokens.
  explicit FrequentWindowCounter(const Architecture& architecture);

  /// Counts the windows of one text, cut to max_len, those at its ends too; none that sees padding alone.
  void count(std::span<const std::byte> text);

  /// Windows counted so far.
  [[nodiscard]] std::uint64_t counted() const noexcept { return counted_; }

  /// The `most` most frequent windows, those first; equally frequent ones by their tokens, so that the same texts give
  /// the same list whatever their order. `sample` is left for the caller to fill in. Allocates.
  [[nodiscard]] FrequentWindows most_frequent(std::size_t most) const;
  /// How many of the counted windows these are, repeated ones counted as often as they were seen. Allocates.
  [[nodiscard]] std::uint64_t covered(std::size_t most) const;

 private:
  /// Open addressing, at most half full; `count` is 0 where a slot is free.
  struct Slot {
    std::uint32_t key = 0, count = 0;
  };

  BYTECNN_PRIVATE void add(std::uint32_t key);
  BYTECNN_PRIVATE void grow();
  [[nodiscard]] BYTECNN_PRIVATE std::vector<Slot> ranked(std::size_t most) const;

  std::uint32_t kernel_size_, pad_left_, pad_right_, vocab_size_, max_len_;
  bool padded_;
  std::uint32_t pad_token_;
  std::uint64_t counted_ = 0;
  std::size_t used_ = 0;
  std::uint32_t shift_;  ///< 32 - log2(number of slots)
  std::vector<Slot> slots_;
};

}  // namespace BYTECNN_API
