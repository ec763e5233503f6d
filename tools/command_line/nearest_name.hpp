#pragma once
/// "did you mean ...?"

#include <span>
#include <string>
#include <string_view>

namespace bytecnn::cli {

/// The name that `typed` was most likely meant to be, or an empty one where none is near: the Damerau-Levenshtein
/// distance is at most a third of the longer one's length.
[[nodiscard]] std::string nearest_name(std::string_view typed, std::span<const std::string> names);

/// "; did you mean 'NAME'?" or nothing.
[[nodiscard]] std::string suggestion(std::string_view typed, std::span<const std::string> names);

}  // namespace bytecnn::cli
