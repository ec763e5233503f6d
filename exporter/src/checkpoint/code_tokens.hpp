#pragma once
/// The words of a TorchScript source, as PyTorch's own printer writes it.
///
/// The printer uses a small part of Python's lexical grammar. Everything outside that part (comments, single or triple
/// quotes, line continuations, string prefixes, bytes beyond ASCII) is an error here: what this lexer and libtorch's
/// could possibly read differently never reaches libtorch.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bytecnn::exporter {

struct CodeToken {
  enum class Kind : std::uint8_t { name, number, text, symbol, end };
  Kind kind = Kind::end;
  std::string_view text;  ///< of a text: with its quotes
  std::uint32_t line = 1;
  std::uint32_t indent = 0;  ///< of its line
  bool starts_line = false;  ///< the first of a logical line (not within brackets)
};

/// The tokens of `source`, the last one of kind `end`; views into `source`. Throws `Error` (unsupported) at "line N".
[[nodiscard]] std::vector<CodeToken> code_tokens(std::string_view source);

}  // namespace bytecnn::exporter
