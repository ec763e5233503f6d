#pragma once
/// Learning which windows are frequent, for bulk calls.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/kernel_table.hpp"
#include "plan.hpp"

namespace bytecnn {

/// A table of the most frequent windows of some texts, with the memory it points into. It never changes.
class LearnedTrigrams {
 public:
  /// Counts the windows of the texts, as far as `sample_bytes` of them go, and computes the entries of the most
  /// frequent ones: a few milliseconds at most. `bulk_plan` has trigrams.
  LearnedTrigrams(const Plan& bulk_plan, const kernels::KernelTable& kernels,
                  std::span<const std::span<const std::byte>> texts);
  LearnedTrigrams(const LearnedTrigrams&) = delete;
  LearnedTrigrams& operator=(const LearnedTrigrams&) = delete;
  ~LearnedTrigrams() = default;

  [[nodiscard]] const TrigramTable& table() const noexcept { return table_; }

  /// Bytes that were counted.
  [[nodiscard]] std::size_t sampled() const noexcept { return sampled_; }

  /// More text would change little.
  static constexpr std::size_t sample_bytes = std::size_t{256} << 10U;

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
