#include "json_document.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace bytecnn {
namespace {

constexpr int max_depth = 64;
constexpr std::size_t shown_characters = 60;

std::string describe(const nlohmann::ordered_json& value) {
  if (value.is_object() || value.is_array()) return std::string("an ") + value.type_name();
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > shown_characters) text = text.substr(0, shown_characters) + "...";
  return text;
}

std::string line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - line_start + 1);
}

std::string escape_pointer_token(std::string_view token) {
  std::string escaped;
  for (const char c : token) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

/// Follows the parser through the document: refuses doubled keys and deep nesting, and knows where the parser is.
class ParserWatch {
 public:
  using Json = nlohmann::ordered_json;

  void see(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    switch (event) {
      case Event::object_start:
      case Event::array_start:
        if (depth >= max_depth) {
          throw Error(ErrorCode::limit, "JSON is nested deeper than " + std::to_string(max_depth), pointer());
        }
        open_.push_back({event == Event::array_start, 0, {}, {}});
        break;
      case Event::object_end:
      case Event::array_end:
        open_.pop_back();
        [[fallthrough]];
      case Event::value:
        if (!open_.empty()) ++open_.back().members;
        break;
      case Event::key:
        open_.back().key = parsed.get<std::string>();
        if (!open_.back().keys.insert(open_.back().key).second) {
          throw Error(ErrorCode::invalid, "the key " + describe(parsed) + " stands twice in one object", pointer());
        }
        break;
    }
  }

  /// Of the value that the parser is about to see, or has just seen as a key.
  [[nodiscard]] std::string pointer() const {
    std::string text;
    for (const Level& level : open_) {
      text += "/" + (level.is_array ? std::to_string(level.members) : escape_pointer_token(level.key));
    }
    return text.empty() ? "/" : text;
  }

 private:
  struct Level {
    bool is_array = false;
    std::size_t members = 0;  ///< that are complete
    std::string key;          ///< the last one of an object
    std::set<std::string> keys;
  };
  std::vector<Level> open_;
};

}  // namespace

nlohmann::ordered_json parse_json_document(std::string_view text) {
  using Json = nlohmann::ordered_json;
  ParserWatch watch;
  const auto callback = [&watch](int depth, Json::parse_event_t event, Json& parsed) {
    watch.see(depth, event, parsed);
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), callback);
  } catch (const Json::parse_error& error) {
    throw Error(ErrorCode::syntax,
                "not well-formed JSON at " + line_and_column(text, error.byte == 0 ? 0 : error.byte - 1));
  } catch (const Json::exception& error) {  // a number beyond double
    throw Error(ErrorCode::syntax, std::string("JSON that cannot be read: ") + error.what(), watch.pointer());
  }
}

void JsonValue::fail(std::string message, std::string expected, std::string found) const {
  throw Error(ErrorCode::invalid, std::move(message), pointer_.empty() ? "/" : pointer_, std::move(expected),
              std::move(found));
}

void JsonValue::require_object() const {
  if (!value_->is_object()) fail("wrong type", "an object", describe(*value_));
}

void JsonValue::require_array() const {
  if (!value_->is_array()) fail("wrong type", "an array", describe(*value_));
}

void JsonValue::require_known_keys(std::initializer_list<std::string_view> known) const {
  require_object();
  for (const auto& [key, value] : value_->items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string names;
    for (const std::string_view name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    fail("unknown key", "one of " + names, "\"" + key + "\"");
  }
}

JsonValue JsonValue::at(std::string_view key) const {
  require_object();
  const auto found = value_->find(key);
  if (found == value_->end()) fail("a key is missing", "\"" + std::string(key) + "\"");
  return {*found, pointer_ + "/" + escape_pointer_token(key)};
}

JsonValue JsonValue::at(std::size_t index) const {
  require_array();
  return {value_->at(index), pointer_ + "/" + std::to_string(index)};
}

std::string JsonValue::as_string() const {
  if (!value_->is_string()) fail("wrong type", "a string", describe(*value_));
  return value_->get<std::string>();
}

bool JsonValue::as_bool() const {
  if (!value_->is_boolean()) fail("wrong type", "true or false", describe(*value_));
  return value_->get<bool>();
}

double JsonValue::as_double() const {
  if (!value_->is_number()) fail("wrong type", "a number", describe(*value_));
  const auto number = value_->get<double>();
  if (!std::isfinite(number)) fail("wrong value", "a finite number", describe(*value_));
  return number;
}

std::uint32_t JsonValue::as_u32(std::uint32_t low, std::uint32_t high) const {
  const std::string expected = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  const bool whole = value_->is_number_unsigned() || (value_->is_number_integer() && value_->get<std::int64_t>() >= 0);
  if (!whole) fail("wrong type or value", expected, describe(*value_));
  const auto number = value_->get<std::uint64_t>();
  if (number < low || number > high) fail("out of range", expected, describe(*value_));
  return static_cast<std::uint32_t>(number);
}

}  // namespace bytecnn
