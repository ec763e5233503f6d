#pragma once
/// Labels in messages.

#include <span>
#include <string>

namespace bytecnn::cli {

/// "en, de, nl"; of more than fifty the first ones.
[[nodiscard]] std::string label_list(std::span<const std::string> labels);

}  // namespace bytecnn::cli
