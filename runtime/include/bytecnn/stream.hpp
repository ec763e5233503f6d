#pragma once
/// Inputs that arrive in pieces, and inputs longer than max_len.
///
///     bytecnn::Stream stream(classifier, bytecnn::Strategy::average);
///     while (read(socket, buffer)) {
///       stream.push(buffer);
///       if (stream.classify().score > 0.99F) break;   // at any time, without disturbing the stream
///     }

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "bytecnn/api.h"
#include "bytecnn/classifier.hpp"

namespace bytecnn BYTECNN_API {

/// What becomes of an input longer than max_len. `truncate` cuts it. The others see it through windows of max_len bytes
/// that start every max_len / 2 bytes (the last one ends with the input), and make one logit of the windows' logits,
/// each output by itself: their mean, their largest, or their mean weighted by the softmax of those logits over the
/// windows, so that the surest count most (`attention`). Inputs of at most max_len bytes are the same under all four.
enum class Strategy : std::uint8_t { truncate, average, max, attention };

/// "truncate", "average", "max", "attention".
[[nodiscard]] std::string_view to_string(Strategy strategy) noexcept;
/// The inverse; throws `Error` (usage) that lists the known names.
[[nodiscard]] Strategy parse_strategy(std::string_view name);

/// One input, pushed in pieces of any size. `classify` equals classifying all of it at once, within rounding (the
/// library's bound of 1e-5 of max(1, largest |logit|)), whatever the pieces were.
///
/// What has been seen is kept as pooled columns, not computed again: `push` costs as much as classifying its bytes,
/// `classify` only what the end of the input changes, and the head. Windows that overlap share their columns where half
/// of max_len is a multiple of the model's total stride. (With another arithmetic than float32, and with
/// `Isa::reference`, every classification starts anew, and gives the same bits as the whole.) Memory is allocated by
/// the constructor alone and does not depend on the length of the input.
///
/// Const functions may be called by many threads at once; a thread that pushes must be alone.
class Stream {
 public:
  /// The stream keeps the model alive. Throws std::bad_alloc.
  explicit Stream(const Classifier& classifier, Strategy strategy = Strategy::truncate);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// Appends bytes. Does not allocate or throw (exceptions as of `Classifier::classify`).
  void push(std::span<const std::byte> bytes) noexcept;
  void push(std::string_view text) noexcept;

  /// The classification of all bytes so far. Each span is empty or holds `outputs()` floats. Does not allocate or throw
  /// (exceptions as of `Classifier::classify`).
  Result classify(std::span<float> logits = {}, std::span<float> scores = {}) const noexcept;

  /// Forgets everything: the next byte is the first one of a new input.
  void reset() noexcept;

  /// Bytes pushed since the start or the last `reset`.
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Bytes of memory that the stream holds, whatever its input.
  [[nodiscard]] std::size_t memory_bytes() const noexcept;

 private:
  struct BYTECNN_PRIVATE Impl;
  std::unique_ptr<Impl> impl_;
};

/// Classifies one input of any length under a strategy; spans as above. Allocates a `Stream` where the input is longer
/// than max_len; keep one and `reset` it where that matters. Safe from many threads at once. Throws std::bad_alloc.
Result classify(const Classifier& classifier, std::span<const std::byte> input, Strategy strategy,
                std::span<float> logits = {}, std::span<float> scores = {});
Result classify(const Classifier& classifier, std::string_view text, Strategy strategy, std::span<float> logits = {},
                std::span<float> scores = {});

}  // namespace BYTECNN_API
