#include "number_text.hpp"

#include <array>
#include <charconv>

namespace bytecnn::cli {
namespace {

std::string formatted(double number, std::chars_format format, int precision) {
  std::array<char, 400> digits;  // the largest double has 309 digits before the point
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, format, precision).ptr;
  return {digits.data(), end};
}

}  // namespace

std::string with_separators(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t place = text.size(); place > 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

std::string fixed(double number, int decimals) {
  return formatted(number, std::chars_format::fixed, decimals);
}

std::string short_number(double number) {
  return formatted(number, std::chars_format::general, 3);
}

}  // namespace bytecnn::cli
