#pragma once
/// What a `Classifier` holds: the model, its plan, and what follows from them. It never changes once it is made, but
/// for what bulk calls learn.

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "batch_threads.hpp"
#include "fixed_point.hpp"
#include "kernels/kernel_table.hpp"
#include "plan_builder.hpp"
#include "trigram_table.hpp"

namespace bytecnn {

struct Classifier::Impl {
  /// Throws `Error` where the model is invalid or this machine does not run `wanted`.
  Impl(Model loaded, Isa wanted, Arithmetic arithmetic = Arithmetic::float32);

  /// Logits and scores are `outputs` floats each, or null.
  Status run(std::span<const std::byte> input, float* logits, float* scores, Result& result) const noexcept;

  /// The same for an input of a valid length, with working memory at hand and without the decision. There must be a
  /// plan.
  void run_kernels(std::span<const std::byte> input, float* working, float* logits, float* scores) const noexcept;
  /// Whether parts of an input may be pooled apart and put together: a float32 plan.
  [[nodiscard]] bool pools_parts() const noexcept { return planned.has_value() && !fixed_point.has_value(); }

  /// See `Classifier::classify_batch` and `Classifier::tune_batch`.
  void run_batch(std::span<const std::span<const std::byte>> inputs, std::span<Result> results, std::span<float> logits,
                 std::span<float> scores, unsigned threads) const;
  void tune_batch(std::span<const std::span<const std::byte>> sample) const;
  /// As `run` for each input, several heads at once; text by `bulk`, the plan for bulk calls with a table in it, unless
  /// that is null. Logits and scores are rows of `outputs` floats, or null. There must be a float32 plan.
  void run_pooled(const Plan* bulk, std::span<const std::span<const std::byte>> inputs, std::span<Result> results,
                  float* logits, float* scores) const noexcept;

  /// Label and score of finished scores.
  void decide(const float* scores, Result& result) const noexcept;

  /// Calls `use(working)`, which returns a `Status`, with the plan's working memory and behind it room for the logits
  /// and the scores: on the stack, or for very wide models in a buffer of this thread. There must be a plan. `use` is
  /// never copied: a copy moves 16 bytes at once that were just stored as two words, which waits until all that came
  /// before is done, and so the end of one call would not overlap the beginning of the next.
  template <class Use>
  Status with_working_memory(const Use& use) const noexcept {
    return with_working_memory(working_bytes, use);
  }
  template <class Use>
  static Status with_working_memory(std::size_t bytes, const Use& use) noexcept {
    if (bytes <= small_stack_bytes) return with_stack<small_stack_bytes>(use);
    if (bytes <= large_stack_bytes) return with_stack<large_stack_bytes>(use);
    float* const memory = thread_memory(bytes);
    return memory == nullptr ? Status::out_of_memory : use(memory);
  }
  /// Behind the plan's own working memory.
  [[nodiscard]] float* own_logits(float* working) const noexcept { return working + working_floats; }
  [[nodiscard]] float* own_scores(float* working) const noexcept { return own_logits(working) + outputs; }

  static constexpr std::size_t small_stack_bytes = std::size_t{16} << 10U;
  static constexpr std::size_t large_stack_bytes = std::size_t{512} << 10U;

  Model model;
  Isa isa;
  std::size_t outputs = 0;
  std::size_t minimum = 0;  ///< bytes
  bool binary = false;
  bool may_be_uncertain = false;
  float threshold = 0.5F;
  std::vector<std::string> labels;
  std::optional<PlannedModel> planned;  ///< none for `Isa::reference`
  const kernels::KernelTable* kernels = nullptr;
  std::string plan_reasons;               ///< behind the plan's description
  std::optional<FixedPoint> fixed_point;  ///< where another arithmetic than float32 was asked for
  std::size_t working_floats = 0;         ///< of the plan, or of `fixed_point`
  std::size_t working_bytes = 0;
  TrigramTable no_trigrams;  ///< of the plan for bulk calls, where there is one
  /// What bulk calls have learned. Results do not depend on it.
  mutable std::atomic<std::shared_ptr<const LearnedTrigrams>> trigrams;
  /// Of text that batches brought while there was no table yet; counted where the model states frequent windows.
  mutable std::atomic<std::size_t> bytes_before_trigrams{0};
  mutable KeptBatchThreads batch_threads;

 private:
  /// The table of what is frequent in `sample`, up to 256 kB of it. There must be a plan for bulk calls.
  [[nodiscard]] std::shared_ptr<const LearnedTrigrams> learn(std::span<const std::span<const std::byte>> sample) const;
  /// The table to classify `inputs` with: what is known, or learned from them, or the model's own; null for none.
  [[nodiscard]] std::shared_ptr<const LearnedTrigrams> trigrams_for(
      std::span<const std::span<const std::byte>> inputs) const;
  Status run_reference(std::span<const std::byte> input, float* logits, float* scores, Result& result) const noexcept;

  /// Calls `use` with working memory of a fixed size on the stack.
  template <std::size_t Bytes, class Use>
  __attribute__((noinline)) static Status with_stack(const Use& use) noexcept {
    alignas(64) std::byte memory[Bytes];
    return use(reinterpret_cast<float*>(memory));
  }

  /// A buffer for each thread, for models too wide for the stack. It grows and is kept until the thread ends.
  static float* thread_memory(std::size_t bytes) noexcept;
};

}  // namespace bytecnn
