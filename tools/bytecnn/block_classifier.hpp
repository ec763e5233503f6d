#pragma once
/// Classifies whole blocks of records into buffers that are used again for the next block.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "record_source.hpp"
#include "windows.hpp"

namespace bytecnn::cli {

class BlockClassifier {
 public:
  /// `threads`: 0 for as many as the machine has. `classifier` must outlive this object.
  BlockClassifier(const Classifier& classifier, Strategy strategy, unsigned threads)
      : classifier_(classifier), strategy_(strategy), threads_(threads) {}

  /// Classifies every record that holds an input; a record that cannot be classified gets its `error`.
  void classify(Block& block);

  /// Of the last block's record `index`.
  [[nodiscard]] const Result& result(std::size_t index) const { return results_[index]; }
  [[nodiscard]] std::span<const float> logits(std::size_t index) const { return row(logits_, index); }
  [[nodiscard]] std::span<const float> scores(std::size_t index) const { return row(scores_, index); }

  /// Microseconds that one classification of `input` takes on this thread: the median of repeated calls.
  [[nodiscard]] double measure_microseconds(std::span<const std::byte> input);

 private:
  [[nodiscard]] bool needs_windows(std::span<const std::byte> input) const;
  [[nodiscard]] std::span<const float> row(const std::vector<float>& rows, std::size_t index) const {
    return std::span(rows).subspan(index * classifier_.outputs(), classifier_.outputs());
  }
  [[nodiscard]] std::span<float> row(std::vector<float>& rows, std::size_t index) const {
    return std::span(rows).subspan(index * classifier_.outputs(), classifier_.outputs());
  }

  const Classifier& classifier_;
  Strategy strategy_;
  unsigned threads_;
  std::vector<std::span<const std::byte>> inputs_;
  std::vector<Result> results_;
  std::vector<float> logits_;
  std::vector<float> scores_;
};

}  // namespace bytecnn::cli
