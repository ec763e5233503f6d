#pragma once
/// The certificate as a page for people.

#include <string>
#include <string_view>

namespace bytecnn::exporter {

/// One self-contained HTML page out of a certificate's JSON: no script, nothing loaded from elsewhere, light and dark,
/// printable. Everything that came from files is escaped. Throws `Error` where `certificate` is none.
[[nodiscard]] std::string certificate_html(std::string_view certificate);

}  // namespace bytecnn::exporter
