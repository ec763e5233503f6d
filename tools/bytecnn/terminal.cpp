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

/// Marks that reorder what stands beside them, so that a terminal shows something else than what is there.
bool changes_direction(wchar_t character) {
  return (character >= 0x200E && character <= 0x200F) || (character >= 0x202A && character <= 0x202E) ||
         (character >= 0x2066 && character <= 0x2069);
}

}  // namespace

Character next_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return {text.substr(0, 1), 1, first >= 0x20 && first != 0x7F};
  static const bool has_utf8 = std::setlocale(LC_CTYPE, "C.UTF-8") != nullptr;
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

Painter::Painter(ColorChoice choice) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* name = std::getenv("TERM");
  const std::string_view terminal = name == nullptr ? "" : name;
  const bool refused = terminal == "dumb" || (no_color != nullptr && *no_color != '\0');
  const bool colored =
      choice == ColorChoice::always || (choice == ColorChoice::automatic && !refused && ::isatty(STDOUT_FILENO) == 1);
  const char* told = std::getenv("COLORTERM");
  const std::string_view colors = told == nullptr ? "" : told;
  if (!colored) {
    depth_ = ColorDepth::none;
  } else if (colors == "truecolor" || colors == "24bit" || terminal.ends_with("-direct")) {
    depth_ = ColorDepth::truecolor;
  } else if (terminal.find("256color") != std::string_view::npos) {
    depth_ = ColorDepth::indexed;
  } else {
    depth_ = ColorDepth::ansi;
  }
}

std::string Painter::mark(Rgb background, int nearest, std::string_view text) const {
  std::string code;
  switch (depth_) {
    case ColorDepth::none:
      return std::string(text);
    case ColorDepth::ansi:
      code = "30;4" + std::to_string(nearest);
      break;
    case ColorDepth::indexed: {
      // The cube of 6 x 6 x 6 colours has these steps.
      const auto step = [](std::uint8_t value) { return value < 48 ? 0 : value < 115 ? 1 : (value - 35) / 40; };
      code = "38;5;16;48;5;" +
             std::to_string(16 + 36 * step(background.red) + 6 * step(background.green) + step(background.blue));
      break;
    }
    case ColorDepth::truecolor:
      code = "38;2;0;0;0;48;2;" + std::to_string(background.red) + ";" + std::to_string(background.green) + ";" +
             std::to_string(background.blue);
      break;
  }
  return "\x1b[" + code + "m" + std::string(text) + "\x1b[0m";
}

std::string Painter::paint(Style style, std::string_view text) const {
  if (depth_ == ColorDepth::none || style == Style::plain) return std::string(text);
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
    case Style::warm:
      code = "33";
      break;
    case Style::cool:
      code = "34";
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
    if (character.printable) {
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
