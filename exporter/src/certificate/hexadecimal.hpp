#pragma once
/// Bytes as hexadecimal digits and back.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bytecnn {

/// Two lower-case digits a byte.
[[nodiscard]] std::string to_hexadecimal(std::span<const std::byte> bytes);

/// Nothing where the text is not an even number of hexadecimal digits of either case.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hexadecimal(std::string_view digits);

}  // namespace bytecnn
