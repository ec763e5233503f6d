#pragma once
/// Arrays of numbers, taken out of a JSON text before its parser sees it.
///
/// Nine tenths of a model file are tensors. A general parser spends 350 ns on each number, copying it byte by byte,
/// converting it by strtod and asking a callback, and keeps 16 bytes for it, whose pages cost more than the numbers. So
/// every array of up to three levels that holds finite floats and nothing else, its rows equally long, is read here
/// into what becomes the model's memory, and the parser gets `[N]` in its place, N being the number of the array. All
/// else stays where it is for the parser to judge: what is not well-formed, ragged, empty, or beyond a float. Hence an
/// array of one unsigned number that the parser meets always stands for an array that was taken out.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bytecnn {

/// A tensor of a JSON text.
struct NumberArray {
  std::vector<std::size_t> shape;  ///< one to three lengths, none of them 0
  std::vector<float> values;       ///< row-major; each the float nearest to the double nearest to the decimal
  std::string_view text;           ///< with its brackets
};

class JsonNumberArrays {
 public:
  static constexpr std::size_t max_rank = 3;

  /// `text` need not be JSON; the arrays point into it.
  explicit JsonNumberArrays(std::string_view text);

  /// The text with `[N]` for the arrays.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Where a byte of `text()` stands in the original.
  [[nodiscard]] std::size_t original_position(std::size_t position) const;
  /// Array N; without its values after that.
  [[nodiscard]] NumberArray take(std::size_t array) { return std::move(arrays_.at(array)); }

 private:
  std::string text_;
  std::vector<std::pair<std::size_t, std::size_t>> positions_;  ///< behind an array: in `text_`, in the original
  std::vector<NumberArray> arrays_;
};

}  // namespace bytecnn
