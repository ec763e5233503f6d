#pragma once
/// Bytes that will be written at once. Unlike a string it does not fill what it reserves, so numbers are written in
/// place.

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "score_text.hpp"

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
    char* const begin = reserve(longest_float_text);
    size_ += static_cast<std::size_t>(write_float(begin, value) - begin);
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
