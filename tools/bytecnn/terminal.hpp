#pragma once
/// Text for people: colours where they are wanted, widths in columns, and input bytes that cannot harm a terminal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bytecnn::cli {

enum class ColorChoice : std::uint8_t { automatic, always, never };

/// How many colours the terminal shows.
enum class ColorDepth : std::uint8_t { none, ansi, indexed, truecolor };

struct Rgb {
  std::uint8_t red = 0, green = 0, blue = 0;
};

enum class Style : std::uint8_t { plain, heading, faint, good, bad, warm, cool };

/// Decides once whether standard output gets colours: `--color` first, then NO_COLOR, then whether it is a terminal.
class Painter {
 public:
  explicit Painter(ColorChoice choice);
  [[nodiscard]] std::string paint(Style style, std::string_view text) const;
  /// Black on `background`, or on `nearest`, one of the eight colours (0 to 7), where the terminal has only those.
  [[nodiscard]] std::string mark(Rgb background, int nearest, std::string_view text) const;
  [[nodiscard]] ColorDepth depth() const noexcept { return depth_; }

 private:
  ColorDepth depth_;
};

/// One character cut from the front of a text.
struct Character {
  std::string_view bytes;
  std::size_t columns = 1;
  bool printable = false;  ///< else a control character, malformed UTF-8, or what changes the direction of writing
};
/// The first character of `text`, which is not empty.
[[nodiscard]] Character next_character(std::string_view text);

/// Columns of the terminal on standard output, or `fallback` where it is none.
[[nodiscard]] std::size_t terminal_columns(std::size_t fallback) noexcept;

/// Columns that `text` takes; malformed UTF-8 counts one column a byte.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// At most `columns` columns of `text`, fit for a terminal: control characters, malformed UTF-8 and what changes the
/// direction of writing are replaced, an ellipsis marks a cut.
[[nodiscard]] std::string printable(std::string_view text, std::size_t columns);

/// `text` and as many spaces as it lacks to `columns`.
[[nodiscard]] std::string pad_right(std::string_view text, std::size_t columns);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t columns);

}  // namespace bytecnn::cli
