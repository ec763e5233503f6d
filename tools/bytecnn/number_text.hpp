#pragma once
/// Numbers as people read them; none depends on the locale.

#include <cstdint>
#include <string>

namespace bytecnn::cli {

/// 10009 -> "10,009".
[[nodiscard]] std::string with_separators(std::uint64_t number);
/// With so many digits after the point: 0.5 -> "0.5000".
[[nodiscard]] std::string fixed(double number, int decimals);
/// Three significant digits: 1.23e-07, 0.25, 3.
[[nodiscard]] std::string short_number(double number);

/// A round number beside an axis: 0.05, 20, 2,000.
[[nodiscard]] std::string axis_number(double number);

/// Three significant digits and no exponent: 0.00123, 0.123, 1.23, 12.3, 123, 1,234.
[[nodiscard]] std::string three_digits(double number);

}  // namespace bytecnn::cli
