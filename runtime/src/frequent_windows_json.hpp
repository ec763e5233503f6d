#pragma once
/// The member "frequent_windows" of a model file.

#include <nlohmann/json_fwd.hpp>

#include "bytecnn/model.hpp"

#include "json_document.hpp"

namespace bytecnn {

/// Throws `Error` (invalid) at the place of what is wrong; what a window may hold, and how many there may be, is for
/// `validate(Model)`.
[[nodiscard]] FrequentWindows read_frequent_windows(const JsonValue& object, const Architecture& architecture);

[[nodiscard]] nlohmann::ordered_json frequent_windows_to_json(const FrequentWindows& windows,
                                                              const Architecture& architecture);

}  // namespace bytecnn
