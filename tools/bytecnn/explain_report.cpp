#include "explain_report.hpp"

#include <algorithm>
#include <vector>

#include <nlohmann/json.hpp>

#include "number_text.hpp"

namespace bytecnn::cli {

std::string decision_text(const Classifier& classifier, const ExplainedInput& input) {
  return printable(classifier.label_name(input.result), 64) + "  " + fixed(static_cast<double>(input.result.score), 4);
}

std::string sum_text(const ExplainedInput& input) {
  const double sum = input.why.logit - input.why.baseline;
  const std::string what = input.against ? "logit of '" + printable(input.label, 32) + "' less that of '" +
                                               printable(*input.against, 32) + "'"
                                         : "logit of '" + printable(input.label, 32) + "'";
  return what + " " + signed_number(input.why.logit) + " = " + signed_number(input.why.baseline) +
         " without any text " + (sum < 0 ? "− " : "+ ") +
         signed_number(sum).substr(sum < 0 ? std::string_view("−").size() : 1) + " from " +
         with_separators(input.bytes.size()) + (input.bytes.size() == 1 ? " byte" : " bytes");
}

std::string runners_up(const Classifier& classifier, const ExplainedInput& input, std::size_t count) {
  if (classifier.outputs() < 2) return {};
  std::vector<std::size_t> order(classifier.outputs());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return input.scores[i]; });
  std::string text;
  for (std::size_t i = 1; i < order.size() && i <= count; ++i) {
    text += (text.empty() ? "" : ", ") + printable(classifier.labels()[order[i]], 32) + " " +
            fixed(static_cast<double>(input.scores[order[i]]), 4);
  }
  return text;
}

std::string quoted(const ExplainedInput& input, std::size_t begin, std::size_t end, bool binary) {
  std::string text;
  if (binary) {
    for (std::size_t i = begin; i < end; ++i) text += (i == begin ? "" : " ") + hex(input.bytes[i]);
    return text;
  }
  const std::string_view bytes(reinterpret_cast<const char*>(input.bytes.data()) + begin, end - begin);
  // A window may begin and end within a character: what is left of it is told as bytes.
  for (std::size_t place = 0; place < bytes.size();) {
    const Character character = next_character(bytes.substr(place));
    if (character.printable) {
      text += character.bytes;
    } else if (character.bytes == "\n") {
      text += "↵";
    } else {
      for (const char byte : character.bytes) text += "\\x" + hex(std::byte(static_cast<unsigned char>(byte)));
    }
    place += character.bytes.size();
  }
  return "‘" + text + "’";
}

std::string explain_json(const Classifier& classifier, const ExplainedInput& input) {
  nlohmann::ordered_json json;
  json["input"] = input.name.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(input.name);
  json["bytes"] = input.bytes.size();
  json["unseen_bytes"] = input.unseen_bytes;
  const auto label = input.result.label;
  json["label"] = label < 0 ? nlohmann::ordered_json()
                            : nlohmann::ordered_json(classifier.labels()[static_cast<std::size_t>(label)]);
  json["score"] = input.result.score;
  json["explained_label"] = input.label;
  if (input.against) json["against"] = *input.against;
  json["logit"] = input.why.logit;
  json["baseline"] = input.why.baseline;
  json["contributions"] = input.why.contributions;
  json["winners"] = nlohmann::ordered_json::array();
  for (const PoolWinner& winner : input.why.winners) {
    json["winners"].push_back({{"filter", winner.channel},
                               {"value", winner.value},
                               {"begin", winner.begin},
                               {"end", winner.end},
                               {"contribution", winner.contribution}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace bytecnn::cli
