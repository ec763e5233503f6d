#pragma once
/// `--fail-on LABEL[:SCORE]`: what makes a run end with status 1, for scripts.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/classifier.hpp"

namespace bytecnn::cli {

/// One rule. Without a score: the record has the label. With one: the label's score reaches it, whatever the decision.
struct FailOn {
  std::string text;  ///< as it was given
  std::size_t label = 0;
  std::optional<float> score;
};

/// Understands "LABEL" or "LABEL:SCORE"; a label may hold colons itself. Throws `Error` (usage) where the model has no
/// such label.
[[nodiscard]] FailOn parse_fail_on(const std::string& text, const Classifier& classifier);

/// Whether a record with that result and those scores is what `rule` looks for. The score of a binary model's first
/// label is 1 - score.
[[nodiscard]] bool matches(const FailOn& rule, const Classifier& classifier, const Result& result,
                           std::span<const float> scores);

}  // namespace bytecnn::cli
