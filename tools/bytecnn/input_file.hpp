#pragma once
/// A file descriptor that is read, and closed at the end.

#include <cstddef>
#include <span>
#include <string>

namespace bytecnn::cli {

class InputFile {
 public:
  /// Opens `path` ("-": standard input). Does not throw: `error()` says what went wrong.
  explicit InputFile(const std::string& path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  /// Reads some bytes, waiting for the first. 0 at the end, after an error, and where stopping was asked for.
  [[nodiscard]] std::size_t read_some(std::span<std::byte> target);
  /// Whether `read_some` would return at once.
  [[nodiscard]] bool has_more_at_hand() const;
  /// Reads a pipe to its end, so that its writer does not fail because we needed only the beginning.
  void drain_pipe();

  /// Empty, or why the file could not be opened or read.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  void fail(int reason);

  int descriptor_ = -1;
  bool owned_ = false;
  bool may_wait_ = false;  ///< not a regular file, whose bytes are always at hand
  bool is_pipe_ = false;
  std::string error_;
};

}  // namespace bytecnn::cli
