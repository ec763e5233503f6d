#include "explained_input.hpp"

#include <algorithm>
#include <cmath>

#include "bytecnn/error.hpp"

#include "command_line/nearest_name.hpp"
#include "exit_status.hpp"
#include "label_list.hpp"
#include "number_text.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t bytes_a_row = 16;
constexpr std::string_view replacement = "�";

bool has_one_sigmoid(const Classifier& classifier) {
  return classifier.outputs() == 1 && classifier.labels().size() == 2;
}

std::size_t label_index(const Classifier& classifier, const std::string& name, const std::string& option) {
  const auto labels = classifier.labels();
  const auto found = std::ranges::find(labels, name);
  if (found == labels.end()) {
    throw Error(ErrorCode::usage, "the model has no such label" + suggestion(name, labels), option,
                "one of " + label_list(labels), "'" + name + "'");
  }
  return static_cast<std::size_t>(found - labels.begin());
}

void subtract(Explanation& from, const Explanation& other) {
  from.logit -= other.logit;
  from.baseline -= other.baseline;
  for (std::size_t i = 0; i < from.contributions.size(); ++i) from.contributions[i] -= other.contributions[i];
  for (PoolWinner& winner : from.winners) {
    const auto same = std::ranges::find(other.winners, winner.channel, &PoolWinner::channel);
    if (same != other.winners.end()) winner.contribution -= same->contribution;
  }
}

void negate(Explanation& why) {
  why.logit = -why.logit;
  why.baseline = -why.baseline;
  for (double& contribution : why.contributions) contribution = -contribution;
  for (PoolWinner& winner : why.winners) winner.contribution = -winner.contribution;
}

/// What stands for a character that is not printable.
std::string stand_in(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes.front());
  if (first == '\n') return "↵";
  if (first == '\t') return "⇥";
  if (first == 0x7F) return "␡";
  if (first >= 0x80) return std::string(replacement);
  // U+2400 and on are pictures of the control characters.
  return {'\xE2', '\x90', static_cast<char>(0x80 + first)};
}

}  // namespace

ExplainedInput explain_input(const Classifier& classifier, std::vector<std::byte> input, const ExplainChoice& choice) {
  ExplainedInput explained;
  const std::size_t seen = std::min<std::size_t>(input.size(), classifier.model().architecture.max_len);
  explained.unseen_bytes = input.size() - seen;
  input.resize(seen);
  explained.bytes = std::move(input);
  explained.scores.resize(classifier.outputs());
  std::vector<float> logits(classifier.outputs());
  explained.result = classifier.classify(explained.bytes, logits, explained.scores);
  if (explained.result.status != Status::ok) {
    throw InputError(std::string(to_string(explained.result.status)));
  }

  const auto best = static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
  const std::size_t decided =
      explained.result.label >= 0 ? static_cast<std::size_t>(explained.result.label) : best;  // uncertain
  const std::size_t label = choice.label ? label_index(classifier, *choice.label, "--label") : decided;
  explained.label = classifier.labels()[label];
  if (has_one_sigmoid(classifier)) {
    if (choice.against) {
      throw Error(ErrorCode::usage, "a model of one output has nothing to compare with", "--against");
    }
    // Its logit speaks for the second label; for the first one everything counts the other way round.
    explained.why = explain(classifier.model(), explained.bytes, 0);
    if (label == 0) negate(explained.why);
    return explained;
  }
  explained.why = explain(classifier.model(), explained.bytes, label);
  if (choice.against) {
    const std::size_t other = label_index(classifier, *choice.against, "--against");
    explained.against = classifier.labels()[other];
    subtract(explained.why, explain(classifier.model(), explained.bytes, other));
  }
  // As the explanation of one logit, the largest first.
  std::ranges::stable_sort(explained.why.winners, std::greater<>(),
                           [](const PoolWinner& winner) { return std::abs(winner.contribution); });
  return explained;
}

std::vector<Glyph> glyphs_of(const ExplainedInput& input) {
  std::vector<Glyph> glyphs;
  std::string_view text(reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size());
  for (std::size_t begin = 0; begin < input.bytes.size();) {
    const Character character = next_character(text.substr(begin));
    const std::size_t end = begin + character.bytes.size();
    double contribution = 0;
    for (std::size_t i = begin; i < end; ++i) contribution += input.why.contributions[i];
    if (character.printable && character.columns == 0 && !glyphs.empty() && !glyphs.back().ends_line) {
      // A combining mark belongs to the letter before it.
      glyphs.back().shown += character.bytes;
      glyphs.back().end = end;
      glyphs.back().contribution += contribution;
    } else {
      Glyph glyph{begin,
                  end,
                  character.printable ? std::string(character.bytes) : stand_in(character.bytes),
                  character.columns,
                  contribution,
                  character.bytes == "\n",
                  false};
      glyph.ends_word = character.bytes.find_first_of(" \t\r\n") != std::string_view::npos;
      glyphs.push_back(std::move(glyph));
    }
    begin = end;
  }
  return glyphs;
}

double largest_contribution(std::span<const Glyph> glyphs) {
  double largest = 0;
  for (const Glyph& glyph : glyphs) largest = std::max(largest, std::abs(glyph.contribution));
  return largest > 0 ? largest : 1;
}

double visible_strength(double contribution, double largest) {
  return std::copysign(std::pow(std::abs(contribution) / largest, 0.7), contribution);
}

std::vector<Passage> strongest_passages(std::span<const Glyph> glyphs, bool binary, std::size_t count) {
  std::vector<Passage> passages;
  bool open = false;
  for (const Glyph& glyph : glyphs) {
    if (binary) open = glyph.begin % bytes_a_row != 0;
    if (!binary && glyph.ends_word) {
      open = false;
      continue;
    }
    if (!open) passages.push_back({glyph.begin, glyph.end, 0});
    open = true;
    passages.back().end = glyph.end;
    passages.back().contribution += glyph.contribution;
  }
  std::ranges::stable_sort(passages, std::greater<>(),
                           [](const Passage& passage) { return std::abs(passage.contribution); });
  if (passages.size() > count) passages.resize(count);
  return passages;
}

bool is_binary(std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::size_t strange = 0;
  while (!text.empty()) {
    const Character character = next_character(text);
    const bool white = character.bytes.find_first_of(" \t\r\n") != std::string_view::npos;
    if (!character.printable && !white) strange += character.bytes.size();
    text.remove_prefix(character.bytes.size());
  }
  return 3 * strange > bytes.size();
}

std::string hex(std::byte value) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto number = std::to_integer<unsigned>(value);
  return {digits[number >> 4U], digits[number & 15U]};
}

std::string signed_number(double number) {
  return (number < 0 ? "−" : "+") + three_digits(std::abs(number));
}

}  // namespace bytecnn::cli
