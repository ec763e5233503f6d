#pragma once
/// An input of any length, seen through windows that overlap by half.
///
///   window 0   [L| A0      | B0 | A1      |R]                          L, R: columns that see the window's ends,
///   window 1             [L| A1      | B1 | A2      |R]                computed for each window;
///   window 2                       [L| A2      | B2 | A3      |R]      A: columns of two windows, computed once;
///                                                                      B: columns of this window alone
///
/// The columns inside a window are the same in both windows that hold them, if a window starts where a column does.
/// Each position is then computed once instead of twice, borders apart.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "bytecnn/stream.hpp"

#include "plan_variants.hpp"
#include "pooled_columns.hpp"
#include "window_logits.hpp"

namespace bytecnn {

class WindowStream {
 public:
  WindowStream(const Classifier::Impl& classifier, Strategy strategy);

  void push(std::span<const std::byte> bytes) noexcept;
  /// Costs one window. Logits and scores are `outputs` floats each, or null.
  Status classify(float* logits, float* scores, Result& result) const noexcept;
  void reset() noexcept;
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  /// Where the parts of a window lie, in columns from its first one.
  struct Parts {
    std::int64_t left = 0;         ///< columns [0, left) see the left end
    std::int64_t unshared = 0;     ///< B begins here,
    std::int64_t next_shared = 0;  ///< and the next window's A here,
    std::int64_t right = 0;        ///< and here the columns that see the right end
    std::int64_t columns = 0;
  };

  void plan_shared_columns();
  /// Gathers the logits of the window that starts at `window`.
  void add_window(const unsigned char* window) noexcept;
  void add_logits(const float* logits) noexcept;
  /// Pools columns [begin, end) of a window into `into`; its features pass through the working memory.
  void pool_part(const Plan& plan, const unsigned char* window, std::int64_t begin, std::int64_t end, float* working,
                 PooledColumns& into) const noexcept;
  Status run_shared(const unsigned char* window, float* working) noexcept;
  /// Mean, maximum or weighted mean of all windows and of `logits`, in place; then the scores.
  void combine(float* logits, float* scores) const noexcept;

  const Classifier::Impl& classifier_;
  Strategy strategy_;
  std::int64_t window_;                           ///< bytes of a window
  std::int64_t half_;                             ///< bytes from one window to the next
  std::unique_ptr<const PlanVariants> variants_;  ///< none where every window is computed by itself
  Parts parts_;
  std::optional<PooledColumns> shared_, next_shared_, all_;
  std::vector<WindowLogits> gathered_;  ///< one an output
  std::vector<float> logits_, scores_;  ///< of the window at hand
  std::vector<unsigned char> bytes_;    ///< the last `window_` bytes at least
  std::int64_t first_ = 0;              ///< position of bytes_[0] in the input
  std::int64_t length_ = 0;             ///< bytes of input so far
  std::int64_t next_ = 0;               ///< where the next window starts
  Status status_ = Status::ok;
};

}  // namespace bytecnn
