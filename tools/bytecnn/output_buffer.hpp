#pragma once
/// Bytes that will be written at once. Unlike a string it does not fill what it reserves, so numbers are written in
/// place.

#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

namespace bytecnn::cli {

class OutputBuffer {
 public:
  OutputBuffer& operator<<(std::string_view text) {
    std::memcpy(reserve(text.size()), text.data(), text.size());
    size_ += text.size();
    return *this;
  }
  OutputBuffer& operator<<(char character) {
    *reserve(1) = character;
    ++size_;
    return *this;
  }
  /// The shortest digits that read back as the same float.
  OutputBuffer& operator<<(float value) {
    constexpr std::size_t longest = 32;
    char* const begin = reserve(longest);
    size_ += static_cast<std::size_t>(std::to_chars(begin, begin + longest, value).ptr - begin);
    return *this;
  }

  [[nodiscard]] std::string_view text() const noexcept { return {bytes_.data(), size_}; }
  void clear() noexcept { size_ = 0; }

 private:
  char* reserve(std::size_t count) {
    if (bytes_.size() - size_ < count) bytes_.resize(2 * (size_ + count) + 4096);
    return bytes_.data() + size_;
  }

  std::vector<char> bytes_;
  std::size_t size_ = 0;
};

}  // namespace bytecnn::cli
