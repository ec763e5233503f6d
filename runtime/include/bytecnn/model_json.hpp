#pragma once
/// Model files: JSON in, JSON out. The format is described in runtime/README.md.

#include <string>
#include <string_view>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// Parses and validates a model: the current format and the older flat files, whose batch norm is folded here.
/// Throws `Error`; its place is the JSON pointer of what is wrong.
[[nodiscard]] Model parse_model(std::string_view json);

/// `parse_model` of a file's content; errors name the file.
[[nodiscard]] Model load_model(const std::string& path);

/// The model file's text: keys in a fixed order, floats in their shortest form that reads back to the same float.
[[nodiscard]] std::string to_json(const Model& model);

/// Writes `to_json(model)` under a temporary name beside `path` and renames it: the file is whole or not there.
void save_model(const Model& model, const std::string& path);

}  // namespace BYTECNN_API
