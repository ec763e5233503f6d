#pragma once
/// Reading JSON with a place for every complaint: a value and the JSON pointer that leads to it.

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

#include "json_number_arrays.hpp"

namespace bytecnn {

/// Parses `text`. Throws `Error`: syntax (with line and column), doubled keys, nesting deeper than 64.
[[nodiscard]] nlohmann::ordered_json parse_json_document(std::string_view text);

/// A document without its tensors: they never become JSON values, of which each number would be one.
class JsonTensorDocument {
 public:
  /// Whether an array of numbers is a tensor, by the keys that lead to it.
  using IsTensor = bool (*)(std::span<const std::string_view> keys);

  /// As `parse_json_document`. `text` must outlive the document.
  JsonTensorDocument(std::string_view text, IsTensor is_tensor);

  /// Binary values, which no JSON text gives, stand where the tensors were.
  [[nodiscard]] const nlohmann::ordered_json& root() const noexcept { return root_; }
  /// The tensor that `value`, one of this document, stands for; null where it is what it seems.
  [[nodiscard]] NumberArray* tensor(const nlohmann::ordered_json& value);
  /// `value` with numbers in a tensor's place.
  [[nodiscard]] nlohmann::ordered_json restored(const nlohmann::ordered_json& value);

 private:
  nlohmann::ordered_json root_;
  std::vector<NumberArray> tensors_;
};

/// A JSON value that knows where it stands. Cheap to copy; the document must outlive it.
class JsonValue {
 public:
  JsonValue(const nlohmann::ordered_json& value, std::string pointer) : value_(&value), pointer_(std::move(pointer)) {}

  [[nodiscard]] const nlohmann::ordered_json& json() const noexcept { return *value_; }
  [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }
  [[nodiscard]] bool is_null() const noexcept { return value_->is_null(); }

  /// Throws unless the value is an object / an array.
  void require_object() const;
  void require_array() const;
  /// Throws on the first key of this object that is not in `known`.
  void require_known_keys(std::initializer_list<std::string_view> known) const;

  [[nodiscard]] bool has(std::string_view key) const { return value_->contains(key); }
  /// The member `key`; throws where it is missing.
  [[nodiscard]] JsonValue at(std::string_view key) const;
  [[nodiscard]] JsonValue at(std::size_t index) const;
  [[nodiscard]] std::size_t size() const noexcept { return value_->size(); }

  [[nodiscard]] std::string as_string() const;
  [[nodiscard]] bool as_bool() const;
  /// A finite number.
  [[nodiscard]] double as_double() const;
  /// A whole number from `low` to `high`.
  [[nodiscard]] std::uint32_t as_u32(std::uint32_t low, std::uint32_t high) const;

  /// Throws `Error` (invalid) at this place.
  [[noreturn]] void fail(std::string message, std::string expected = {}, std::string found = {}) const;

 private:
  const nlohmann::ordered_json* value_;
  std::string pointer_;
};

}  // namespace bytecnn
