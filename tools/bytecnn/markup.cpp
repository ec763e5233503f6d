#include "markup.hpp"

#include "terminal.hpp"

namespace bytecnn::cli {

std::string markup_text(std::string_view text) {
  std::string escaped;
  for (const char character : printable(text, SIZE_MAX)) {
    switch (character) {
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += character;
    }
  }
  return escaped;
}

}  // namespace bytecnn::cli
