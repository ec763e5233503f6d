#include "json_document.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <utility>

namespace bytecnn {
namespace {

constexpr std::size_t max_depth = 64;
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

/// The array as JSON values.
nlohmann::ordered_json values_of(const NumberArray& array);

/// Builds the document from what the parser finds, and knows where the parser is: refuses doubled keys and deep
/// nesting.
class DocumentBuilder final : public nlohmann::json_sax<nlohmann::ordered_json> {
 public:
  using Json = nlohmann::ordered_json;

  /// `arrays` are those of `text`, and are used up: what `is_tensor` chooses, where it is given, ends in `tensors`.
  DocumentBuilder(std::string_view text, JsonNumberArrays& arrays, Json& document,
                  JsonTensorDocument::IsTensor is_tensor, std::vector<NumberArray>& tensors)
      : text_(text), document_(document), arrays_(&arrays), is_tensor_(is_tensor), tensors_(&tensors) {}
  /// Of a text that no arrays were taken out of.
  DocumentBuilder(std::string_view text, Json& document) : text_(text), document_(document) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& /*text*/) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t& value) override { return add(std::move(value)); }

  bool start_object(std::size_t /*elements*/) override { return open(Json::object()); }
  bool key(std::string& name) override {
    Level& level = open_.back();
    level.key = name;
    if (!level.keys.insert(name).second) {
      throw Error(ErrorCode::invalid, "the key " + describe(Json(name)) + " stands twice in one object", pointer());
    }
    return true;
  }
  bool end_object() override { return close(); }

  bool start_array(std::size_t /*elements*/) override { return open(Json::array()); }
  bool end_array() override {
    Json& value = *open_.back().value;
    if (arrays_ == nullptr || value.size() != 1 || !value[0].is_number_unsigned()) return close();
    NumberArray array = arrays_->take(value[0].get<std::size_t>());
    if (open_.size() + array.shape.size() > max_depth + 1) fail_too_deep();
    close();
    if (is_wanted_tensor()) {
      value = Json::binary({}, tensors_->size());
      tensors_->push_back(std::move(array));
    } else {
      value = values_of(array);
    }
    return true;
  }

  bool parse_error(std::size_t byte, const std::string& /*token*/, const Json::exception& error) override {
    if (dynamic_cast<const Json::parse_error*>(&error) != nullptr) {
      const std::size_t read = byte == 0 ? 0 : byte - 1;
      const std::size_t place = arrays_ == nullptr ? read : arrays_->original_position(read);
      throw Error(ErrorCode::syntax, "not well-formed JSON at " + line_and_column(text_, place));
    }
    // A number beyond double.
    throw Error(ErrorCode::syntax, std::string("JSON that cannot be read: ") + error.what(), pointer());
  }

 private:
  struct Level {
    Json* value = nullptr;
    std::string key;  ///< the last one of an object
    std::set<std::string> keys;
  };

  /// Of the value that the parser is about to see, or has just seen as a key.
  [[nodiscard]] std::string pointer() const {
    std::string text;
    for (std::size_t i = 0; i < open_.size(); ++i) {
      // A container that is open counts as a member already.
      const std::size_t members = open_[i].value->size() - (i + 1 < open_.size() ? 1 : 0);
      text += "/" + (open_[i].value->is_array() ? std::to_string(members) : escape_pointer_token(open_[i].key));
    }
    return text.empty() ? "/" : text;
  }

  template <class Value>
  Json& place(Value&& value) {
    if (open_.empty()) return document_ = Json(std::forward<Value>(value));
    Level& level = open_.back();
    if (level.value->is_array()) {
      return level.value->get_ref<Json::array_t&>().emplace_back(std::forward<Value>(value));
    }
    auto& object = level.value->get_ref<Json::object_t&>();
    return object.emplace(level.key, Json(std::forward<Value>(value))).first->second;
  }

  template <class Value>
  bool add(Value&& value) {
    place(std::forward<Value>(value));
    return true;
  }

  bool open(Json&& container) {
    if (open_.size() >= max_depth) fail_too_deep();
    open_.push_back({&place(std::move(container)), {}, {}});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  [[noreturn]] void fail_too_deep() const {
    throw Error(ErrorCode::limit, "JSON is nested deeper than " + std::to_string(max_depth), pointer());
  }

  /// Of the array that was closed last.
  [[nodiscard]] bool is_wanted_tensor() const {
    if (is_tensor_ == nullptr) return false;
    std::vector<std::string_view> keys;
    for (const Level& level : open_) {
      if (level.value->is_array()) return false;
      keys.push_back(level.key);
    }
    return is_tensor_(keys);
  }

  std::string_view text_;
  Json& document_;
  JsonNumberArrays* arrays_ = nullptr;
  JsonTensorDocument::IsTensor is_tensor_ = nullptr;
  std::vector<NumberArray>* tensors_ = nullptr;
  std::vector<Level> open_;
};

nlohmann::ordered_json values_of(const NumberArray& array) {
  nlohmann::ordered_json values;
  DocumentBuilder builder(array.text, values);
  const std::string text(array.text);  // the parser is instantiated once
  nlohmann::ordered_json::sax_parse(text, &builder);
  return values;
}

}  // namespace

nlohmann::ordered_json parse_json_document(std::string_view text) {
  return JsonTensorDocument(text, nullptr).root();
}

JsonTensorDocument::JsonTensorDocument(std::string_view text, IsTensor is_tensor) {
  JsonNumberArrays arrays(text);
  DocumentBuilder builder(text, arrays, root_, is_tensor, tensors_);
  nlohmann::ordered_json::sax_parse(arrays.text(), &builder);
}

NumberArray* JsonTensorDocument::tensor(const nlohmann::ordered_json& value) {
  return value.is_binary() ? &tensors_.at(value.get_binary().subtype()) : nullptr;
}

nlohmann::ordered_json JsonTensorDocument::restored(const nlohmann::ordered_json& value) {
  const NumberArray* array = tensor(value);
  return array == nullptr ? value : values_of(*array);
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
