#include "weight_arrays.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

/// Reads what is no tensor of the document, which nearly always is wrong somewhere: builds the pointer of that place.
class Reader {
 public:
  Reader(const JsonValue& root, std::size_t rank) : root_(root), index_(rank, 0) {
    result_.shape.assign(rank, 0);  // 0: not seen yet
  }

  WeightArray read() {
    descend(root_.json(), 0);
    return std::move(result_);
  }

 private:
  void descend(const Json& level, std::size_t depth) {
    if (!level.is_array()) fail(depth, "wrong type", "an array of " + std::to_string(index_.size()) + " levels");
    if (level.empty()) fail(depth, "an empty array", "at least one number");
    if (result_.shape[depth] == 0) result_.shape[depth] = level.size();
    if (level.size() != result_.shape[depth]) {
      fail(depth, "rows differ in length", std::to_string(result_.shape[depth]) + " elements",
           std::to_string(level.size()));
    }
    for (std::size_t i = 0; i < level.size(); ++i) {
      index_[depth] = i;
      if (depth + 1 < index_.size()) {
        descend(level[i], depth + 1);
      } else {
        append(level[i]);
      }
    }
  }

  void append(const Json& number) {
    if (!number.is_number()) fail(index_.size(), "wrong type", "a number", number.type_name());
    const auto value = static_cast<float>(number.get<double>());
    if (!std::isfinite(value)) fail(index_.size(), "a number that no finite float holds", {}, number.dump());
    result_.values.push_back(value);
  }

  [[noreturn]] void fail(std::size_t depth, const char* message, std::string expected, std::string found = {}) const {
    std::string pointer = root_.pointer();
    for (std::size_t i = 0; i < depth; ++i) pointer += "/" + std::to_string(index_[i]);
    throw Error(ErrorCode::invalid, message, pointer, std::move(expected), std::move(found));
  }

  const JsonValue& root_;
  std::vector<std::size_t> index_;
  WeightArray result_;
};

/// The shortest decimal that reads back to the same float, also by a reader that goes by way of double (this one, and
/// every Python): 7.038531e-26, alone of all floats, does not if it is shortened that far.
void append_number(std::string& text, float value) {
  if (value == 0) {
    text += std::signbit(value) ? "-0.0" : "0";  // "-0" would be read as a whole number, which has no sign
    return;
  }
  std::array<char, 32> digits{};
  char* const end = digits.data() + digits.size();
  char* written = std::to_chars(digits.data(), end, value).ptr;
  double read = 0;
  std::from_chars(digits.data(), written, read);
  if (static_cast<float>(read) != value) written = std::to_chars(digits.data(), end, static_cast<double>(value)).ptr;
  text.append(digits.data(), static_cast<std::size_t>(written - digits.data()));
}

void append_level(std::string& text, std::span<const float>& values, std::span<const std::size_t> shape) {
  text += '[';
  for (std::size_t i = 0; i < shape[0]; ++i) {
    if (i != 0) text += shape.size() == 1 ? ", " : ",\n      ";
    if (shape.size() > 1) {
      append_level(text, values, shape.subspan(1));
      continue;
    }
    append_number(text, values[0]);
    values = values.subspan(1);
  }
  text += ']';
}

}  // namespace

WeightArray read_weight_array(const JsonValue& value, std::size_t rank, JsonTensorDocument& document) {
  NumberArray* const tensor = document.tensor(value.json());
  if (tensor != nullptr && tensor->shape.size() == rank) return {std::move(tensor->shape), std::move(tensor->values)};
  const Json restored = document.restored(value.json());
  return Reader(JsonValue(restored, value.pointer()), rank).read();
}

std::string shape_text(std::span<const std::size_t> shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

void append_weight_array(std::string& text, std::span<const float> values, std::span<const std::size_t> shape) {
  append_level(text, values, shape);
}

}  // namespace bytecnn
