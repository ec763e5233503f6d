#pragma once
/// Tables of entries of frequent windows, for bulk calls.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "plan.hpp"

namespace bytecnn {

/// A table of frequent windows, with the memory it points into. It never changes.
class LearnedTrigrams {
 public:
  /// Computes the entries of `windows`, the most frequent ones first, as far as there is room: less than a millisecond.
  /// `bulk_plan` has trigrams. `sampled` are the bytes that the windows were counted in.
  LearnedTrigrams(const Plan& bulk_plan, const kernels::KernelTable& kernels, const FrequentWindows& windows,
                  std::size_t sampled);
  LearnedTrigrams(const LearnedTrigrams&) = delete;
  LearnedTrigrams& operator=(const LearnedTrigrams&) = delete;
  ~LearnedTrigrams() = default;

  [[nodiscard]] const TrigramTable& table() const noexcept { return table_; }

  /// Bytes that were counted.
  [[nodiscard]] std::size_t sampled() const noexcept { return sampled_; }

 private:
  struct AlignedDelete {
    void operator()(float* memory) const noexcept;
  };

  TrigramTable table_;
  std::size_t sampled_ = 0;
  std::vector<std::uint32_t> slots_;
  std::unique_ptr<float[], AlignedDelete> entries_;
};

/// A table that holds nothing: every window is computed. Throws where memory is exhausted.
[[nodiscard]] TrigramTable empty_trigram_table(const TrigramStage& stage);

}  // namespace bytecnn
