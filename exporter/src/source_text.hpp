#pragma once
/// Numbers and strings as they stand in Python and C++ source files.

#include <string>
#include <string_view>

namespace bytecnn::exporter {

/// The shortest decimal that reads back to the same number, always with a point or an exponent: "0.1", "1.0", "1e-07".
[[nodiscard]] std::string decimal(float value);
[[nodiscard]] std::string decimal(double value);

/// A string literal with its quotes, in ASCII alone: nothing in `text` can end it. `text` must be UTF-8 (checked:
/// throws `Error`, usage).
[[nodiscard]] std::string python_string(std::string_view text);
/// The same for C++, byte by byte.
[[nodiscard]] std::string cpp_string(std::string_view bytes);

/// Whether `text` is well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace bytecnn::exporter
