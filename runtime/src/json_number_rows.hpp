#pragma once
/// Arrays of numbers, taken out of a JSON text before its parser sees it.
///
/// Nine tenths of a model file are rows of weights. A general parser spends 350 ns on each number, copying it byte by
/// byte, converting it by strtod and asking a callback; the standard library's from_chars takes 30. So every array that
/// holds numbers and nothing else, at least one, is read here, and the parser gets `[N]` in its place, N being the
/// number of the row. What is not well-formed, or beyond the range of a double, stays where it is for the parser to
/// judge. Hence an array of one unsigned number that the parser meets is always a row.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace bytecnn {

class JsonNumberRows {
 public:
  /// `text` need not be JSON, and is not kept.
  explicit JsonNumberRows(std::string_view text);

  /// The text with `[N]` for the rows.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Where a byte of `text()` stands in the original.
  [[nodiscard]] std::size_t original_position(std::size_t position) const;
  /// Row N; gone after that.
  [[nodiscard]] nlohmann::ordered_json::array_t take(std::size_t row) { return std::move(rows_.at(row)); }

 private:
  std::string text_;
  std::vector<std::pair<std::size_t, std::size_t>> positions_;  ///< behind a row: in `text_`, in the original
  std::vector<nlohmann::ordered_json::array_t> rows_;
};

}  // namespace bytecnn
