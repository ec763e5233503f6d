#include "json_number_arrays.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <system_error>

namespace bytecnn {
namespace {

[[nodiscard]] bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// A number's digits as they are read.
struct Decimal {
  std::uint64_t digits = 0;  ///< without the point
  int count = 0;             ///< of digits
  int exponent = 0;          ///< of ten
};

/// `digits * 10^exponent` where both factors are doubles, so that rounding their product or quotient once gives the
/// nearest double (W. D. Clinger, "How to Read Floating Point Numbers Accurately", 1990). Nearly every number of a
/// model file: a float's shortest decimal has nine digits at most.
[[nodiscard]] std::optional<double> exact_product(const Decimal& decimal) {
  constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr int max_power = 22;
  constexpr int max_digits = 19;  // all that surely fit 64 bits
  constexpr std::uint64_t max_exact = std::uint64_t{1} << 53U;
  if (decimal.count > max_digits || decimal.digits > max_exact) return std::nullopt;
  if (decimal.exponent < -max_power || decimal.exponent > max_power) return std::nullopt;
  const auto digits = static_cast<double>(decimal.digits);
  return decimal.exponent < 0 ? digits / powers[-decimal.exponent] : digits * powers[decimal.exponent];
}

/// Reads an array that begins behind its bracket.
class ArrayReader {
 public:
  /// `values` is working memory, kept from one array to the next.
  ArrayReader(const char* begin, const char* end, std::vector<float>& values) : at_(begin), end_(end), values_(values) {
    values_.clear();
  }

  /// Behind the closing bracket, once `read` was successful.
  [[nodiscard]] const char* end_of_array() const { return at_; }

  /// Whether this is an array to take out. Then `values` are its numbers.
  [[nodiscard]] bool read(std::vector<std::size_t>& shape) {
    std::size_t lengths[JsonNumberArrays::max_rank] = {};
    std::size_t rank = 1;
    skip_blanks();
    while (at_ != end_ && *at_ == '[') {
      if (++rank > JsonNumberArrays::max_rank) return false;
      ++at_;
      skip_blanks();
    }
    // From here on the innermost level is open. `done[d]` elements of level d are complete.
    std::size_t done[JsonNumberArrays::max_rank] = {};
    std::size_t depth = rank - 1;
    for (;;) {
      if (depth == rank - 1) {
        if (!read_row(done[depth])) return false;
      }
      // A level ends here.
      if (lengths[depth] == 0) lengths[depth] = done[depth];
      if (lengths[depth] != done[depth]) return false;
      done[depth] = 0;
      if (depth == 0) break;
      ++done[--depth];
      skip_blanks();
      if (at_ == end_) return false;
      const char next = *at_++;
      if (next == ']') continue;
      if (next != ',') return false;
      while (depth < rank - 1) {
        skip_blanks();
        if (at_ == end_ || *at_++ != '[') return false;
        ++depth;
      }
    }
    shape.assign(lengths, lengths + rank);
    return true;
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  /// Numbers up to a closing bracket, and that.
  [[nodiscard]] bool read_row(std::size_t& count) {
    for (;;) {
      skip_blanks();
      if (!read_number()) return false;
      ++count;
      skip_blanks();
      if (at_ == end_) return false;
      const char next = *at_++;
      if (next == ']') return true;
      if (next != ',') return false;
    }
  }

  /// At least one digit.
  [[nodiscard]] bool read_digits(Decimal& decimal) {
    const char* const first = at_;
    for (; at_ != end_ && is_digit(*at_); ++at_)
      decimal.digits = decimal.digits * 10 + static_cast<unsigned>(*at_ - '0');
    // As many digits as a file is long fit no int, but are too many all the same.
    decimal.count += static_cast<int>(std::min<std::ptrdiff_t>(at_ - first, 1000));
    return at_ != first;
  }

  /// JSON's grammar (RFC 8259, 6), which is stricter than from_chars: no leading zeros, digits on both sides of a
  /// point.
  [[nodiscard]] bool read_number() {
    const char* const first = at_;
    if (at_ != end_ && *at_ == '-') ++at_;
    const bool negative = at_ != first;
    const char* const digits = at_;
    Decimal decimal;
    if (!read_digits(decimal) || (*digits == '0' && at_ - digits > 1)) return false;
    bool whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      const int before = decimal.count;
      if (!read_digits(decimal)) return false;
      decimal.exponent = before - decimal.count;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      const bool small = at_ != end_ && *at_ == '-';
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      Decimal exponent;
      if (!read_digits(exponent)) return false;
      constexpr int too_large = 10'000;
      const int power = exponent.count > 4 ? too_large : static_cast<int>(exponent.digits);
      decimal.exponent += small ? -power : power;
    }
    double value = 0;
    if (const auto exact = exact_product(decimal)) {
      value = negative ? -*exact : *exact;
      if (whole && decimal.digits == 0) value = 0;  // whole numbers have no -0
    } else if (std::from_chars(first, at_, value).ec != std::errc()) {
      return false;
    }
    values_.push_back(static_cast<float>(value));
    return std::isfinite(values_.back());
  }

  const char* at_;
  const char* end_;
  std::vector<float>& values_;
};

/// Behind the string that begins behind its quotation mark.
[[nodiscard]] std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return text.size();
}

}  // namespace

JsonNumberArrays::JsonNumberArrays(std::string_view text) {
  std::vector<float> values;
  // More than a model file of this size holds: memory that is never touched costs nothing, growing touches it twice.
  constexpr std::size_t least_bytes_a_number = 4;
  values.reserve(text.size() / least_bytes_a_number);
  std::size_t copied = 0;  // bytes of the original that are in text_ already, or in an array
  for (std::size_t at = text.find_first_of("[\""); at < text.size(); at = text.find_first_of("[\"", at)) {
    const bool quote = text[at++] == '"';
    if (quote) {
      at = end_of_string(text, at);
      continue;
    }
    ArrayReader reader(text.data() + at, text.data() + text.size(), values);
    NumberArray array;
    if (!reader.read(array.shape)) continue;
    array.values.assign(values.begin(), values.end());
    text_.append(text.substr(copied, at - copied));
    text_ += std::to_string(arrays_.size()) + ']';
    const std::size_t begin = at - 1;
    at = copied = static_cast<std::size_t>(reader.end_of_array() - text.data());
    array.text = text.substr(begin, at - begin);
    positions_.emplace_back(text_.size(), at);
    arrays_.push_back(std::move(array));
  }
  text_.append(text.substr(copied));
}

std::size_t JsonNumberArrays::original_position(std::size_t position) const {
  const auto behind = std::ranges::upper_bound(positions_, position, {}, &std::pair<std::size_t, std::size_t>::first);
  if (behind == positions_.begin()) return position;
  const auto& [in_text, in_original] = *(behind - 1);
  return in_original + (position - in_text);
}

}  // namespace bytecnn
