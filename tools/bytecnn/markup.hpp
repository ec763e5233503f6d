#pragma once
/// Text inside of HTML and SVG.

#include <string>
#include <string_view>

namespace bytecnn::cli {

/// `text` made safe for a terminal (see `printable`) and with <, >, & and quotes escaped.
[[nodiscard]] std::string markup_text(std::string_view text);

}  // namespace bytecnn::cli
