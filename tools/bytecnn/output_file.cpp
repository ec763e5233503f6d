#include "output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit_status.hpp"

namespace bytecnn::cli {
namespace {

[[noreturn]] void fail(const std::string& path, int reason) {
  throw OutputError("cannot write " + path + ": " + std::generic_category().message(reason));
}

/// Writes and closes; 0, or why it failed.
int write_and_close(int descriptor, std::string_view content) {
  int reason = 0;
  while (!content.empty() && reason == 0) {
    const ssize_t written = ::write(descriptor, content.data(), content.size());
    if (written >= 0) content.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) reason = errno;
  }
  if (::close(descriptor) != 0 && reason == 0) reason = errno;
  return reason;
}

}  // namespace

void write_output_file(const std::string& path, std::string_view content) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISREG(status.st_mode)) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);  // NOLINT(cppcoreguidelines-pro-type-vararg)
    if (descriptor < 0) fail(path, errno);
    if (const int reason = write_and_close(descriptor, content)) fail(path, reason);
    return;
  }
  std::string temporary = path + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) fail(path, errno);
  // mkostemp lets nobody else read; a new file gets what the user's mask leaves.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, exists ? status.st_mode & 07777U : 0666U & ~mask);
  int reason = write_and_close(descriptor, content);
  if (reason == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) reason = errno;
  if (reason == 0) return;
  ::unlink(temporary.c_str());
  fail(path, reason);
}

}  // namespace bytecnn::cli
