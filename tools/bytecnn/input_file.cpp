#include "input_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bytecnn::cli {

InputFile::InputFile(const std::string& path) {
  if (path == "-") {
    descriptor_ = STDIN_FILENO;
    return;
  }
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT(cppcoreguidelines-pro-type-vararg): POSIX
  owned_ = descriptor_ >= 0;
  if (!owned_) fail(errno);
}

InputFile::~InputFile() {
  if (owned_) ::close(descriptor_);
}

std::size_t InputFile::read_some(std::span<std::byte> target) {
  if (!error_.empty()) return 0;
  for (;;) {
    const ssize_t count = ::read(descriptor_, target.data(), target.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    fail(errno);
    return 0;
  }
}

bool InputFile::has_more_at_hand() const {
  if (!error_.empty()) return false;
  pollfd poller{descriptor_, POLLIN, 0};
  return ::poll(&poller, 1, 0) > 0;
}

void InputFile::drain_pipe() {
  struct stat status {};
  if (!error_.empty() || ::fstat(descriptor_, &status) != 0 || !S_ISFIFO(status.st_mode)) return;
  std::array<std::byte, 65536> dropped;
  while (read_some(dropped) != 0) {
  }
}

void InputFile::fail(int reason) {
  error_ = "cannot read it: " + std::generic_category().message(reason);
}

}  // namespace bytecnn::cli
