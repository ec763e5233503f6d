#pragma once
/// An input cut into what a person sees: characters with their share of the logit, and the words that matter most.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/explain.hpp"

namespace bytecnn::cli {

/// Bytes [begin, end) that are shown as one: a character with its combining marks, or a byte that is none.
struct Glyph {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string shown;  ///< safe for a terminal; "↵" for a newline
  std::size_t columns = 1;
  double contribution = 0;  ///< of all its bytes
  bool ends_line = false;
  bool ends_word = false;  ///< white space
};

/// Neighbouring bytes and what they did together.
struct Passage {
  std::size_t begin = 0;
  std::size_t end = 0;
  double contribution = 0;
};

struct ExplainedInput {
  std::string name;              ///< the file's, or "" for a text
  std::vector<std::byte> bytes;  ///< what the model saw
  std::size_t unseen_bytes = 0;  ///< what lay beyond max_len
  Result result;
  std::vector<float> scores;
  std::string label;                   ///< the one that is explained
  std::optional<std::string> against;  ///< the one that it is compared with
  Explanation why;                     ///< of the label's logit, or of the difference of the two
};

struct ExplainChoice {
  std::optional<std::string> label;    ///< else the one that was decided
  std::optional<std::string> against;  ///< explain the difference to this label's logit
};

/// Classifies and explains. Throws `Error`: usage where the model has no such label; `InputError` where the input
/// is too short for the model.
[[nodiscard]] ExplainedInput explain_input(const Classifier& classifier, std::vector<std::byte> input,
                                           const ExplainChoice& choice);

[[nodiscard]] std::vector<Glyph> glyphs_of(const ExplainedInput& input);
/// The largest |contribution| of a glyph; never 0.
[[nodiscard]] double largest_contribution(std::span<const Glyph> glyphs);

/// From -1 to 1, for colours: the root lifts what a single strong character would else leave invisible.
[[nodiscard]] double visible_strength(double contribution, double largest);

/// Words (or, of binary data, rows of 16 bytes), the largest |contribution| first, at most `count`.
[[nodiscard]] std::vector<Passage> strongest_passages(std::span<const Glyph> glyphs, bool binary, std::size_t count);

/// Whether a person rather reads these bytes as hexadecimal numbers.
[[nodiscard]] bool is_binary(std::span<const std::byte> bytes);

/// "0a"
[[nodiscard]] std::string hex(std::byte value);
/// "+1.23" or "−0.45"
[[nodiscard]] std::string signed_number(double number);

}  // namespace bytecnn::cli
