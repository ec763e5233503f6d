#include "source_text.hpp"

#include <charconv>
#include <cstdint>
#include <optional>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

template <class Number>
std::string shortest(Number value) {
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, result.ptr);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

/// The code point that begins at `text[at]`, moving `at` behind it; none where it is not well-formed (RFC 3629).
std::optional<std::uint32_t> next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(at);
  if (lead < 0x80) return ++at, lead;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < length) return std::nullopt;
  std::uint32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return std::nullopt;
    point = point << 6U | (byte(at + i) & 0x3FU);
  }
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < smallest[length] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return std::nullopt;
  at += length;
  return point;
}

void append_hex(std::string& text, std::uint32_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    text += "0123456789abcdef"[(value >> static_cast<unsigned>(shift)) & 15U];
  }
}

bool is_plain(std::uint32_t point) {
  return point >= 0x20 && point < 0x7F && point != '"' && point != '\\';
}

}  // namespace

std::string decimal(float value) {
  return shortest(value);
}
std::string decimal(double value) {
  return shortest(value);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    if (!next_code_point(text, at)) return false;
  }
  return true;
}

std::string python_string(std::string_view text) {
  std::string literal = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<std::uint32_t> point = next_code_point(text, at);
    if (!point) throw Error(ErrorCode::usage, "a text is not UTF-8", {}, "UTF-8", "byte " + std::to_string(at));
    if (is_plain(*point)) {
      literal += static_cast<char>(*point);
    } else if (*point < 0x100) {
      append_hex(literal += "\\x", *point, 2);
    } else if (*point < 0x10000) {
      append_hex(literal += "\\u", *point, 4);
    } else {
      append_hex(literal += "\\U", *point, 8);
    }
  }
  return literal + '"';
}

std::string cpp_string(std::string_view bytes) {
  std::string literal = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (is_plain(byte) && c != '?') {  // two question marks begin a trigraph
      literal += c;
      continue;
    }
    // Three octal digits end by themselves, whatever follows; a hexadecimal escape would swallow it.
    literal += '\\';
    for (const unsigned shift : {6U, 3U, 0U}) literal += static_cast<char>('0' + ((byte >> shift) & 7U));
  }
  return literal + '"';
}

}  // namespace bytecnn::exporter
