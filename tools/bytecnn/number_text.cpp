#include "number_text.hpp"

#include <algorithm>
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

std::string axis_number(double number) {
  return number >= 999.5 ? with_separators(static_cast<std::uint64_t>(number + 0.5)) : short_number(number);
}

std::string three_digits(double number) {
  if (number >= 999.5) return with_separators(static_cast<std::uint64_t>(number + 0.5));
  int decimals = 2;
  for (double limit = 9.995; number >= limit; limit *= 10) --decimals;
  for (double limit = 0.9995; number < limit && decimals < 5; limit /= 10) ++decimals;
  return fixed(number, std::max(decimals, 0));
}

}  // namespace bytecnn::cli
