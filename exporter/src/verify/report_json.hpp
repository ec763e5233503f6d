#pragma once
/// Numbers as reports write them.

#include <nlohmann/json.hpp>

namespace bytecnn::exporter {

/// JSON has no infinity and no NaN: they are the words "infinity", "-infinity" and "nan".
[[nodiscard]] nlohmann::ordered_json json_number(double value);

}  // namespace bytecnn::exporter
