#pragma once
/// Bytes as two hexadecimal digits each, as model files have them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bytecnn {

/// Nothing unless these are two digits, in either case.
[[nodiscard]] inline std::optional<std::uint8_t> byte_of_hex(std::string_view digits) {
  unsigned byte = 0;
  if (digits.size() != 2) return {};
  for (const char c : digits) {
    byte *= 16;
    if (c >= '0' && c <= '9') {
      byte += static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      byte += static_cast<unsigned>(c - 'a') + 10;
    } else if (c >= 'A' && c <= 'F') {
      byte += static_cast<unsigned>(c - 'A') + 10;
    } else {
      return {};
    }
  }
  return static_cast<std::uint8_t>(byte);
}

inline void append_hex(std::string& text, unsigned byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += digits[byte / 16];
  text += digits[byte % 16];
}

}  // namespace bytecnn
