#pragma once
/// Model files: JSON in, JSON out. The format is described in runtime/README.md.
///
/// All functions may be called from many threads at once (`save_model` to one path: the last one wins, and no reader
/// sees a mixture). All allocate, and throw `std::bad_alloc` where that fails, beside the errors named below. No locale
/// changes what is read or written.

#include <string>
#include <string_view>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// Parses and validates a model: the current format and the older flat files, whose batch norm is folded here.
/// `json` is UTF-8 and is not kept. `ModelLimits` bound what a hostile file may ask for.
/// Throws `Error`: syntax (line and column), invalid (shapes, ranges, contradictions, missing, doubled or unknown
/// keys), unsupported (another format_version), limit. Its place is the JSON pointer of what is wrong.
[[nodiscard]] Model parse_model(std::string_view json);

/// `parse_model` of a file's content, which may be a pipe; errors name the file. Also throws `Error` (io) where it
/// cannot be read.
[[nodiscard]] Model load_model(const std::string& path);

/// The model file's text: keys in a fixed order, floats in their shortest form that reads back to the same float. The
/// same model gives the same bytes. Throws `Error` as `validate(model)`.
[[nodiscard]] std::string to_json(const Model& model);

/// Writes `to_json(model)` under a temporary name beside `path` and renames it: the file is whole or not there.
/// Throws as `to_json`, and `Error` (io) where the file cannot be written; `path` is then untouched.
void save_model(const Model& model, const std::string& path);

}  // namespace BYTECNN_API
