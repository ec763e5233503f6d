#include "input_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stop_request.hpp"

namespace bytecnn::cli {

InputFile::InputFile(const std::string& path) {
  if (path == "-") {
    descriptor_ = STDIN_FILENO;
  } else {
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);  // NOLINT(cppcoreguidelines-pro-type-vararg): POSIX
    owned_ = descriptor_ >= 0;
    if (!owned_) fail(errno);
  }
  struct stat status {};
  if (error_.empty() && ::fstat(descriptor_, &status) == 0) {
    may_wait_ = !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
    is_pipe_ = S_ISFIFO(status.st_mode);
  }
}

InputFile::~InputFile() {
  if (owned_) ::close(descriptor_);
}

std::size_t InputFile::read_some(std::span<std::byte> target) {
  if (!error_.empty()) return 0;
  for (;;) {
    if (may_wait_ && !wait_for_input(descriptor_)) return 0;
    const ssize_t count = ::read(descriptor_, target.data(), target.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    // A descriptor that its other owner made non-blocking has nothing for now.
    if (errno == EINTR || (may_wait_ && errno == EAGAIN)) continue;
    fail(errno);
    return 0;
  }
}

bool InputFile::has_more_at_hand() const {
  if (!error_.empty()) return false;
  if (!may_wait_) return true;
  pollfd poller{descriptor_, POLLIN, 0};
  return ::poll(&poller, 1, 0) > 0;
}

void InputFile::drain_pipe() {
  if (!is_pipe_) return;
  std::array<std::byte, 65536> dropped;
  while (read_some(dropped) != 0) {
  }
}

void InputFile::fail(int reason) {
  error_ = reason == EISDIR ? "a folder, not a file: 'bytecnn classify -r' takes the files in it"
                            : "cannot read it: " + std::generic_category().message(reason);
}

}  // namespace bytecnn::cli
