#pragma once
/// Nested JSON arrays of numbers as flat float tensors, and back.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "json_document.hpp"

namespace bytecnn {

struct WeightArray {
  std::vector<std::size_t> shape;
  std::vector<float> values;  ///< row-major
};

/// Reads an array of exactly `rank` levels, a value of `document`, once. Throws `Error` where it is ragged, empty, not
/// numeric, or a number does not fit a float.
[[nodiscard]] WeightArray read_weight_array(const JsonValue& value, std::size_t rank, JsonTensorDocument& document);

/// "[40, 12, 3]"
[[nodiscard]] std::string shape_text(std::span<const std::size_t> shape);

/// Appends the nested array to `text`, floats in their shortest round-trip form.
void append_weight_array(std::string& text, std::span<const float> values, std::span<const std::size_t> shape);

}  // namespace bytecnn
