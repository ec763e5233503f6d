#pragma once
/// Classifies records of a block into buffers that are used again for the next ones.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/stream.hpp"

#include "block.hpp"

namespace bytecnn::cli {

class BlockClassifier {
  /// One input's floats among those of all.
  template <class Rows>
  [[nodiscard]] auto row(Rows& rows, std::size_t index) const {
    return std::span(rows).subspan(index * classifier_.outputs(), classifier_.outputs());
  }

 public:
  /// `classifier` must outlive this object.
  BlockClassifier(const Classifier& classifier, Strategy strategy)
      : classifier_(classifier), strategy_(strategy), windows_(classifier, strategy) {}

  /// Classifies the records [begin, end) that hold an input; one that cannot be classified becomes an erroneous one.
  /// Returns the end of those that are done: where stopping is asked for, the rest of a long file is not read.
  [[nodiscard]] std::size_t classify(Block& block, std::size_t begin, std::size_t end);

  /// Of the record `index` in the block that was classified last.
  [[nodiscard]] const Result& result(std::size_t index) const { return results_[index - begin_]; }
  [[nodiscard]] std::span<const float> logits(std::size_t index) const { return row(logits_, index - begin_); }
  [[nodiscard]] std::span<const float> scores(std::size_t index) const { return row(scores_, index - begin_); }

  /// Microseconds that one classification of `input` takes on this thread: the median of repeated calls.
  [[nodiscard]] double measure_microseconds(std::span<const std::byte> input);

 private:
  [[nodiscard]] bool needs_windows(std::span<const std::byte> input) const;
  Result classify_windows(std::span<const std::byte> input, InputFile* rest, std::span<float> logits,
                          std::span<float> scores);
  const Classifier& classifier_;
  Strategy strategy_;
  Stream windows_;                ///< for inputs longer than max_len
  std::vector<std::byte> piece_;  ///< of a long file, as it is read
  std::size_t begin_ = 0;
  std::vector<std::span<const std::byte>> inputs_;
  std::vector<Result> results_;
  std::vector<float> logits_;
  std::vector<float> scores_;
};

}  // namespace bytecnn::cli
