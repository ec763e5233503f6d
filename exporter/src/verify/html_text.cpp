#include "verify/html_text.hpp"

#include <array>
#include <cstdio>

namespace bytecnn::exporter {
namespace {

/// The length of a mark that reorders what stands beside it, at the start of `text`: U+200E, U+200F, U+202A to U+202E,
/// U+2066 to U+2069. 0: none.
std::size_t direction_mark(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xE2') return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const auto third = static_cast<unsigned char>(text[2]);
  const bool general = second == 0x80 && (third == 0x8E || third == 0x8F || (third >= 0xAA && third <= 0xAE));
  const bool isolate = second == 0x81 && third >= 0xA6 && third <= 0xA9;
  return general || isolate ? 3 : 0;
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const std::size_t mark = direction_mark(text);
    const char c = text.front();
    text.remove_prefix(mark != 0 ? mark : 1);
    if (mark != 0 || static_cast<unsigned char>(c) < 0x20 || c == '\x7F') {
      escaped += "\u00B7";
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '\'') {
      escaped += "&#39;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string short_number(double number, int digits) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, number);
  return buffer.data();
}

}  // namespace bytecnn::exporter
