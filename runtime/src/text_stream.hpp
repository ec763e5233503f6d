#pragma once
/// One input of at most max_len bytes that arrives in pieces: columns are pooled as soon as their windows are complete.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "plan_variants.hpp"
#include "pooled_columns.hpp"

namespace bytecnn {

/// Keeps the bytes that later columns need, and what the earlier ones left in the pooling. Columns are pooled some
/// dozens at a time, so that a push of single bytes does not pay for starting the network each time; those that wait
/// are computed by `classify`, together with the columns that the end of the input changes.
class TextStream {
 public:
  explicit TextStream(const Classifier::Impl& classifier);

  /// Bytes behind max_len are left out.
  void push(std::span<const std::byte> bytes) noexcept;
  /// Logits and scores are `outputs` floats each, or null.
  Status classify(float* logits, float* scores, Result& result) const noexcept;
  void reset() noexcept;
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  void pool_settled_columns() noexcept;
  [[nodiscard]] const unsigned char* token(std::int64_t position) const noexcept {
    return bytes_.data() + (position - first_);
  }

  const Classifier::Impl& classifier_;
  std::unique_ptr<const PlanVariants> variants_;  ///< none where every classification starts anew
  std::int64_t block_columns_ = 0;                ///< columns that are worth a start of the network
  std::vector<unsigned char> bytes_;
  std::int64_t first_ = 0;   ///< position of bytes_[0] in the input
  std::int64_t length_ = 0;  ///< bytes of input so far, at most max_len
  std::int64_t done_ = 0;    ///< columns in `pooled_`
  std::optional<PooledColumns> pooled_;
};

}  // namespace bytecnn
