#include "json_number_rows.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;

/// A short text must not ask for much memory.
constexpr std::size_t most_reserved = 64;

[[nodiscard]] bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Reads a row that begins behind its bracket.
class RowReader {
 public:
  RowReader(const char* begin, const char* end) : at_(begin), end_(end) {}

  /// Behind the closing bracket, once `read` was successful.
  [[nodiscard]] const char* end_of_row() const { return at_; }

  /// The numbers, unless this is no row. `expected` numbers are made room for.
  [[nodiscard]] std::optional<Json::array_t> read(std::size_t expected) {
    Json::array_t row;
    skip_blanks();
    if (at_ == end_ || (!is_digit(*at_) && *at_ != '-')) return std::nullopt;
    row.reserve(std::min(expected, most_reserved));
    for (;;) {
      if (!read_number(row)) return std::nullopt;
      skip_blanks();
      if (at_ == end_) return std::nullopt;
      const char next = *at_++;
      if (next == ']') return row;
      if (next != ',') return std::nullopt;
      skip_blanks();
    }
  }

 private:
  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  /// At least one digit.
  [[nodiscard]] bool skip_digits() {
    const char* const first = at_;
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return at_ != first;
  }

  /// JSON's grammar (RFC 8259, 6), which is stricter than from_chars: no leading zeros, digits on both sides of a
  /// point.
  [[nodiscard]] bool read_number(Json::array_t& row) {
    const char* const first = at_;
    if (at_ != end_ && *at_ == '-') ++at_;
    const bool negative = at_ != first;
    const char* const digits = at_;
    if (!skip_digits() || (*digits == '0' && at_ - digits > 1)) return false;
    bool whole = true;
    if (at_ != end_ && *at_ == '.') {
      whole = false;
      ++at_;
      if (!skip_digits()) return false;
    }
    if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
      whole = false;
      ++at_;
      if (at_ != end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!skip_digits()) return false;
    }
    if (!whole) return append<double>(row, first);
    return negative ? append<std::int64_t>(row, first) : append<std::uint64_t>(row, first);
  }

  template <class Number>
  [[nodiscard]] bool append(Json::array_t& row, const char* first) {
    Number number{};
    if (std::from_chars(first, at_, number).ec != std::errc()) return false;
    row.emplace_back(number);
    return true;
  }

  const char* at_;
  const char* end_;
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

JsonNumberRows::JsonNumberRows(std::string_view text) {
  std::size_t copied = 0;  // bytes of the original that are in text_ already, or in a row
  std::size_t row_length = 0;
  for (std::size_t at = text.find_first_of("[\""); at < text.size(); at = text.find_first_of("[\"", at)) {
    const bool quote = text[at++] == '"';
    if (quote) {
      at = end_of_string(text, at);
      continue;
    }
    RowReader reader(text.data() + at, text.data() + text.size());
    auto row = reader.read(row_length);
    if (!row) continue;
    row_length = row->size();
    text_.append(text.substr(copied, at - copied));
    text_ += std::to_string(rows_.size()) + ']';
    at = copied = static_cast<std::size_t>(reader.end_of_row() - text.data());
    positions_.emplace_back(text_.size(), at);
    rows_.push_back(std::move(*row));
  }
  text_.append(text.substr(copied));
}

std::size_t JsonNumberRows::original_position(std::size_t position) const {
  const auto behind = std::ranges::upper_bound(positions_, position, {}, &std::pair<std::size_t, std::size_t>::first);
  if (behind == positions_.begin()) return position;
  const auto& [in_text, in_original] = *(behind - 1);
  return in_original + (position - in_text);
}

}  // namespace bytecnn
