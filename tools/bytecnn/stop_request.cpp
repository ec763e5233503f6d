#include "stop_request.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace bytecnn::cli {
namespace {

constexpr unsigned patience_seconds = 2;

// A signal may be handled by any thread, so the one that waits for input is woken by a pipe that becomes readable and
// stays so.
std::atomic<bool> requested{false};
std::atomic<int> received_signal{0};
std::atomic<int> wake_reader{-1};
std::atomic<int> wake_writer{-1};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free, "used by a handler");

void make_wake_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return;  // then a stop waits for the next input
  wake_reader = ends[0];
  wake_writer = ends[1];
}

extern "C" void handle_alarm(int /*signal*/) {
  end_by_signal(received_signal);
}

extern "C" void handle_stop_signal(int signal) {
  const int saved = errno;
  received_signal = signal;
  request_stop();
  ::alarm(patience_seconds);
  errno = saved;
}

}  // namespace

void stop_on_signals() {
  make_wake_pipe();
  std::signal(SIGALRM, handle_alarm);
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction old {};
    if (::sigaction(signal, nullptr, &old) != 0 || old.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = handle_stop_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(signal, &action, nullptr);
  }
}

void request_stop() noexcept {
  requested = true;
  const int writer = wake_writer;
  if (writer >= 0) {
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = ::write(writer, &byte, 1);
  }
}

bool stop_requested() noexcept {
  return requested.load(std::memory_order_relaxed);
}

int stop_signal() noexcept {
  return received_signal;
}

void end_by_signal(int signal) noexcept {
  std::signal(signal, SIG_DFL);
  std::raise(signal);
  std::_Exit(128 + signal);
}

bool wait_for_input(int descriptor) noexcept {
  std::array<pollfd, 2> waiting{{{descriptor, POLLIN, 0}, {wake_reader, POLLIN, 0}}};
  while (!stop_requested()) {
    const int ready = ::poll(waiting.data(), waiting.size(), -1);
    if (ready < 0 && errno != EINTR) return true;  // reading will tell what is wrong
    if (ready > 0 && waiting[0].revents != 0) return true;
  }
  return false;
}

}  // namespace bytecnn::cli
