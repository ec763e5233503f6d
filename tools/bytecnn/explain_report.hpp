#pragma once
/// An explained input for people and programs.

#include <string>

#include "bytecnn/classifier.hpp"

#include "explained_input.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {

/// The input with every byte on a colour that tells its contribution (or, without colours, with signs underneath), and
/// what mattered most.
[[nodiscard]] std::string explain_text(const Classifier& classifier, const ExplainedInput& input, bool binary,
                                       const Painter& painter, std::size_t columns);
/// The same as a page that needs nothing else.
[[nodiscard]] std::string explain_html(const Classifier& classifier, const ExplainedInput& input, bool binary);
[[nodiscard]] std::string explain_json(const Classifier& classifier, const ExplainedInput& input);

/// "en  0.9974": the decision.
[[nodiscard]] std::string decision_text(const Classifier& classifier, const ExplainedInput& input);
/// "logit 12.3 of 'en' = 0.41 without any text + 11.9 of 53 bytes"
[[nodiscard]] std::string sum_text(const ExplainedInput& input);
/// The other labels with the highest scores: "nl 0.0012, de 0.0003".
[[nodiscard]] std::string runners_up(const Classifier& classifier, const ExplainedInput& input, std::size_t count);
/// Bytes [begin, end) of the input, quoted, white space and unprintable ones made visible.
[[nodiscard]] std::string quoted(const ExplainedInput& input, std::size_t begin, std::size_t end, bool binary);

}  // namespace bytecnn::cli
