#pragma once
/// Standard output.

#include <string>
#include <string_view>

namespace bytecnn::cli {

/// Writes all of `text`. Throws `ClosedPipe` where the reader is gone and `OutputError` on any other failure.
void write_to_standard_output(std::string_view text);

/// Writes all of `text` to standard error, unless that is closed.
void write_to_standard_error(std::string_view text) noexcept;

/// Gathers what a command writes at its end.
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

  /// Writes what has gathered; throws as `write_to_standard_output`. Not called by a destructor on purpose: a failed
  /// write must reach the exit status.
  void flush();

 private:
  std::string buffer_;
};

}  // namespace bytecnn::cli
