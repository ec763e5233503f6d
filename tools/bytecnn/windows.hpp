#pragma once
/// Inputs longer than the model's max_len: cut, or seen through windows that overlap by half.

#include <cstddef>
#include <cstdint>
#include <span>

#include "bytecnn/classifier.hpp"

namespace bytecnn::cli {

/// How the logits of the windows become one: their mean, their largest, or their mean weighted by the softmax (over the
/// windows, each output by itself) of the logits, so that the windows which are surest count most.
enum class Strategy : std::uint8_t { truncate, average, max, attention };

/// Classifies an input longer than max_len; `logits` and `scores` hold `outputs()` floats. Windows are max_len long and
/// start every max_len / 2 bytes; the last one ends with the input. `strategy` is not `truncate`.
Result classify_windows(const Classifier& classifier, std::span<const std::byte> input, Strategy strategy,
                        std::span<float> logits, std::span<float> scores, unsigned threads);

/// The decision for given scores, as `Classifier` makes it: label and score.
[[nodiscard]] Result decide(const Classifier& classifier, std::span<const float> scores);
/// Whether results may have no label: the model has several exclusive outputs and states a threshold.
[[nodiscard]] bool can_be_uncertain(const Classifier& classifier);

}  // namespace bytecnn::cli
