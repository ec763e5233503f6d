#pragma once
/// Text out of a file, made fit for a message: printable, one line, bounded.

#include <cstddef>
#include <string>
#include <string_view>

namespace bytecnn::exporter {

/// `text` with everything but printable ASCII as \xNN, cut after `limit` characters.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 80);

/// True where `text` is well-formed UTF-8 (no surrogates, no overlong forms) without control characters.
[[nodiscard]] bool is_clean_utf8(std::string_view text) noexcept;

}  // namespace bytecnn::exporter
