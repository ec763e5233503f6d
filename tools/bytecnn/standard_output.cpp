#include "standard_output.hpp"

#include <cerrno>
#include <system_error>

#include <poll.h>
#include <unistd.h>

#include "exit_status.hpp"

namespace bytecnn::cli {

void write_to_standard_output(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw ClosedPipe();
    } else if (errno == EAGAIN) {  // a descriptor that its other owner made non-blocking
      pollfd poller{STDOUT_FILENO, POLLOUT, 0};
      ::poll(&poller, 1, -1);
    } else if (errno != EINTR) {
      throw OutputError("cannot write to standard output: " + std::generic_category().message(errno));
    }
  }
}

void write_to_standard_error(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void StandardOutput::flush() {
  write_to_standard_output(buffer_);
  buffer_.clear();
}

}  // namespace bytecnn::cli
