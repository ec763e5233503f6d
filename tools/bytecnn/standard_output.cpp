#include "standard_output.hpp"

#include <cerrno>
#include <system_error>

#include <unistd.h>

#include "exit_status.hpp"

namespace bytecnn::cli {

void StandardOutput::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      throw ClosedPipe();
    } else if (errno != EINTR) {
      throw OutputError("cannot write to standard output: " + std::generic_category().message(errno));
    }
  }
  buffer_.clear();
}

}  // namespace bytecnn::cli
