#pragma once
/// Text for people: colours where they are wanted, widths in columns, and input bytes that cannot harm a terminal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bytecnn::cli {

enum class ColorChoice : std::uint8_t { automatic, always, never };

enum class Style : std::uint8_t { plain, heading, faint, good, bad };

/// Decides once whether standard output gets colours: `--color` first, then NO_COLOR, then whether it is a terminal.
class Painter {
 public:
  explicit Painter(ColorChoice choice);
  [[nodiscard]] std::string paint(Style style, std::string_view text) const;

 private:
  bool colored_;
};

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
