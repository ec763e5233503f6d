#include "score_text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>

namespace bytecnn::cli {
namespace {

constexpr std::array<std::uint64_t, 11> powers_of_ten{
    1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000, 10'000'000'000};

/// value = fraction / 2^31 exactly, and every decimal within half_gap / 2^31 of it reads back as this float.
struct Fixed {
  std::uint64_t fraction = 0;
  std::uint64_t half_gap = 0;
};

/// The integer N for which N / 10^digits is nearest to the value; of two the even one.
std::uint64_t nearest(const Fixed& fixed, unsigned digits) noexcept {
  const std::uint64_t exact = fixed.fraction * powers_of_ten[digits];
  const std::uint64_t odd = exact >> 31U & 1U;
  return (exact + (1U << 30U) - 1 + odd) >> 31U;
}

/// Whether that decimal reads back as the same float.
bool reads_back(const Fixed& fixed, unsigned digits) noexcept {
  const std::uint64_t exact = fixed.fraction * powers_of_ten[digits];
  const std::uint64_t decimal = nearest(fixed, digits) << 31U;
  const std::uint64_t distance = decimal > exact ? decimal - exact : exact - decimal;
  return distance < fixed.half_gap * powers_of_ten[digits];
}

char* write_fraction(char* begin, std::uint64_t decimal, unsigned digits) noexcept {
  begin[0] = '0';
  begin[1] = '.';
  for (unsigned place = digits; place > 0; --place) {
    begin[1 + place] = static_cast<char>('0' + decimal % 10);
    decimal /= 10;
  }
  return begin + 2 + digits;
}

}  // namespace

char* write_float(char* begin, float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t exponent = bits >> 23U;  // of positive numbers; larger for negative ones
  const std::uint32_t mantissa = bits & 0x7FFFFFU;
  // From 2^-7 up to 1. A power of two has a smaller gap below it than above, and is left to the library.
  if (exponent < 120 || exponent > 126 || mantissa == 0) {
    return std::to_chars(begin, begin + longest_float_text, value).ptr;
  }
  const unsigned shift = exponent - 119;
  const Fixed fixed{std::uint64_t{mantissa | 0x800000U} << shift, std::uint64_t{1} << (shift - 1)};
  // Nearly all scores need seven to nine digits. Those from 1/2 up, whose products are the largest, need eight at most,
  // so nothing overflows.
  unsigned digits = 7;
  if (reads_back(fixed, digits)) {
    while (digits > 1 && reads_back(fixed, digits - 1)) --digits;
  } else {
    do {
      ++digits;
    } while (!reads_back(fixed, digits));
  }
  return write_fraction(begin, nearest(fixed, digits), digits);
}

}  // namespace bytecnn::cli
