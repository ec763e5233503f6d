#pragma once
/// Little-endian numbers out of a byte span, every read checked against its end.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {

using ByteSpan = std::span<const std::byte>;

/// Bytes as characters, e.g. to compare them with a literal.
[[nodiscard]] inline std::string_view as_text(ByteSpan bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The number whose bytes lie at `from`, least significant first, whatever the machine's own order is.
template <class T>
[[nodiscard]] T load_little_endian(const std::byte* from) noexcept {
  static_assert(std::is_integral_v<T>);
  std::make_unsigned_t<T> value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<std::make_unsigned_t<T>>(
        value | static_cast<std::make_unsigned_t<T>>(std::make_unsigned_t<T>{std::to_integer<unsigned char>(from[i])}
                                                     << (8 * i)));
  }
  return static_cast<T>(value);
}

/// A cursor over `bytes`. A read past the end throws `Error` (syntax) that names `what`.
class ByteReader {
 public:
  explicit ByteReader(ByteSpan bytes, std::string_view what = "data", std::size_t position = 0) noexcept
      : bytes_(bytes), what_(what), position_(position) {}

  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return bytes_.size() - position_; }

  [[nodiscard]] ByteSpan take(std::uint64_t count) {
    if (count > remaining()) {
      throw Error(ErrorCode::syntax, std::string(what_) + " ends too early", {}, std::to_string(count) + " more bytes",
                  std::to_string(remaining()));
    }
    const ByteSpan taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }

  template <class T>
  [[nodiscard]] T number() {
    return load_little_endian<T>(take(sizeof(T)).data());
  }

  /// The text before the next newline, which is skipped.
  [[nodiscard]] std::string_view line(std::size_t limit) {
    const std::string_view rest = as_text(bytes_.subspan(position_));
    const std::size_t end = rest.substr(0, limit + 1).find('\n');
    if (end == std::string_view::npos) {
      throw Error(ErrorCode::syntax, std::string(what_) + " has a line without an end");
    }
    position_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  ByteSpan bytes_;
  std::string_view what_;
  std::size_t position_;
};

/// a * b and a + b where they fit into 64 bits, else false.
[[nodiscard]] inline bool multiply(std::int64_t a, std::int64_t b, std::int64_t& result) noexcept {
  return !__builtin_mul_overflow(a, b, &result);
}
[[nodiscard]] inline bool add(std::int64_t a, std::int64_t b, std::int64_t& result) noexcept {
  return !__builtin_add_overflow(a, b, &result);
}

}  // namespace bytecnn::exporter
