#include "terminal.hpp"

#include <algorithm>
#include <charconv>
#include <clocale>
#include <cstdlib>
#include <cwchar>

#include <sys/ioctl.h>
#include <unistd.h>

namespace bytecnn::cli {
namespace {

/// One character cut from the front of a text: its bytes and its columns, or not `valid` for anything unprintable.
struct Character {
  std::string_view bytes;
  std::size_t columns = 1;
  bool valid = false;
};

/// Marks that reorder what stands beside them, so that a terminal shows something else than what is there.
bool changes_direction(wchar_t character) {
  return (character >= 0x200E && character <= 0x200F) || (character >= 0x202A && character <= 0x202E) ||
         (character >= 0x2066 && character <= 0x2069);
}

Character next_character(std::string_view text) {
  static const bool has_utf8 = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {text.substr(0, 1), 1, first >= 0x20 && first != 0x7F};
  if (has_utf8) {
    std::mbstate_t state{};
    wchar_t character = 0;
    const std::size_t length = std::mbrtowc(&character, text.data(), text.size(), &state);
    const bool complete = length != static_cast<std::size_t>(-1) && length != static_cast<std::size_t>(-2);
    const int columns = complete ? ::wcwidth(character) : -1;
    if (columns >= 0 && !changes_direction(character)) {
      return {text.substr(0, length), static_cast<std::size_t>(columns), true};
    }
    if (complete) return {text.substr(0, length), 1, false};
  }
  return {text.substr(0, 1), 1, false};
}

}  // namespace

Painter::Painter(ColorChoice choice) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  const bool refused = dumb || (no_color != nullptr && *no_color != '\0');
  colored_ =
      choice == ColorChoice::always || (choice == ColorChoice::automatic && !refused && ::isatty(STDOUT_FILENO) == 1);
}

std::string Painter::paint(Style style, std::string_view text) const {
  if (!colored_ || style == Style::plain) return std::string(text);
  std::string_view code;
  switch (style) {
    case Style::plain:
      break;
    case Style::heading:
      code = "1";
      break;
    case Style::faint:
      code = "2";
      break;
    case Style::good:
      code = "32";
      break;
    case Style::bad:
      code = "1;31";
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::size_t terminal_columns(std::size_t fallback) noexcept {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return fallback;
  return size.ws_col;
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = next_character(text);
    columns += character.columns;
    text.remove_prefix(character.bytes.size());
  }
  return columns;
}

std::string printable(std::string_view text, std::size_t columns) {
  std::string shown;
  std::size_t used = 0;
  std::size_t fits = 0;  // length of `shown` that still leaves room for the ellipsis
  while (!text.empty()) {
    const Character character = next_character(text);
    if (used + character.columns > columns) {
      shown.resize(fits);
      return columns == 0 ? shown : shown + "…";
    }
    if (character.valid) {
      shown += character.bytes;
    } else {
      shown += static_cast<unsigned char>(character.bytes.front()) < 0x80 ? "·" : "�";
    }
    used += character.columns;
    if (used < columns) fits = shown.size();
    text.remove_prefix(character.bytes.size());
  }
  return shown;
}

std::string pad_right(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return std::string(text) + std::string(columns > width ? columns - width : 0, ' ');
}

std::string pad_left(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return std::string(columns > width ? columns - width : 0, ' ') + std::string(text);
}

}  // namespace bytecnn::cli
