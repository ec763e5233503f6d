#include "fail_on.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "bytecnn/error.hpp"

#include "command_line/nearest_name.hpp"
#include "label_list.hpp"

namespace bytecnn::cli {
namespace {

bool is_binary(const Classifier& classifier) {
  return classifier.outputs() == 1 && classifier.model().architecture.output != Output::softmax;
}

}  // namespace

FailOn parse_fail_on(const std::string& text, const Classifier& classifier) {
  const auto labels = classifier.labels();
  const auto index_of = [&](std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(labels, name) - labels.begin());
  };
  FailOn rule{text, index_of(text), std::nullopt};
  if (rule.label < labels.size()) return rule;

  const std::size_t colon = text.rfind(':');
  const std::string name = text.substr(0, colon);
  rule.label = index_of(name);
  if (rule.label == labels.size()) {
    throw Error(ErrorCode::usage, "the model has no such label" + suggestion(name, labels), "--fail-on",
                "LABEL or LABEL:SCORE, with one of " + label_list(labels), "'" + text + "'");
  }
  float score = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, score);
  const bool is_probability = classifier.model().architecture.output != Output::none;
  if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(score) ||
      (is_probability && !(score >= 0 && score <= 1))) {
    throw Error(ErrorCode::usage, "the score is not usable", "--fail-on",
                is_probability ? "LABEL:SCORE with a score from 0 to 1" : "LABEL:SCORE with a number",
                "'" + text + "'");
  }
  rule.score = score;
  return rule;
}

bool matches(const FailOn& rule, const Classifier& classifier, const Result& result, std::span<const float> scores) {
  if (is_binary(classifier)) {
    if (rule.score) return (rule.label == 1 ? scores[0] : 1 - scores[0]) >= *rule.score;
    return result.label == static_cast<std::int32_t>(rule.label);
  }
  if (rule.score) return scores[rule.label] >= *rule.score;
  const bool multi_label = classifier.model().architecture.output == Output::sigmoid;
  return multi_label ? scores[rule.label] >= classifier.threshold()
                     : result.label == static_cast<std::int32_t>(rule.label);
}

}  // namespace bytecnn::cli
