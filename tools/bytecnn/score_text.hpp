#pragma once
/// Scores as text, faster than `std::to_chars` where it matters: a score is most of what a line of output holds.

namespace bytecnn::cli {

/// No score takes more characters.
inline constexpr unsigned longest_float_text = 32;

/// Writes the shortest digits that read back as the same float, exactly as `std::to_chars(begin, end, value)` does,
/// into at least `longest_float_text` characters. Returns the end. Values from 1/128 to 1 take a third of the time.
char* write_float(char* begin, float value) noexcept;

}  // namespace bytecnn::cli
