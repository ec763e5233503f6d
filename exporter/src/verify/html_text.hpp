#pragma once
/// Text and numbers inside of HTML and SVG.

#include <string>
#include <string_view>

namespace bytecnn::exporter {

/// `text` as the content of an element or of a quoted attribute: &, <, > and quotes escaped, control characters and
/// marks that change the direction of writing replaced. `text` is UTF-8.
[[nodiscard]] std::string html_text(std::string_view text);

/// `digits` significant digits: "1.2e-07", "0.25".
[[nodiscard]] std::string short_number(double number, int digits = 2);

}  // namespace bytecnn::exporter
