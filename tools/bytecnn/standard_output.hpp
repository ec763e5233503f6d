#pragma once
/// Standard output as one growing block of bytes that is written at once.

#include <cstddef>
#include <string>
#include <string_view>

namespace bytecnn::cli {

class StandardOutput {
 public:
  StandardOutput() = default;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  StandardOutput& operator<<(std::string_view text) {
    buffer_.append(text);
    return *this;
  }
  StandardOutput& operator<<(char character) {
    buffer_.push_back(character);
    return *this;
  }

  /// Writes what has gathered once it is worth a system call.
  void flush_if_large() {
    if (buffer_.size() >= block_bytes) flush();
  }
  /// Writes what has gathered. Throws `ClosedPipe` where the reader is gone and `OutputError` on any other failure.
  /// Not called by a destructor on purpose: a failed write must reach the exit status.
  void flush();

 private:
  static constexpr std::size_t block_bytes = std::size_t{1} << 18U;
  std::string buffer_;
};

}  // namespace bytecnn::cli
