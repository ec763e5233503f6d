#include "progress_display.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

#include "number_text.hpp"
#include "standard_output.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::chrono::milliseconds first_look{1000};
constexpr std::chrono::milliseconds between_looks{200};
constexpr std::size_t bar_columns = 25;

std::size_t columns_of_standard_error() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string duration(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::ceil(seconds));
  if (whole < 100) return std::to_string(whole) + " s";
  return whole < 6000 ? std::to_string(whole / 60) + " min" : std::to_string(whole / 3600) + " h";
}

}  // namespace

ProgressDisplay::ProgressDisplay(bool wanted, std::function<State()> state) : state_(std::move(state)) {
  const char* terminal = std::getenv("TERM");
  const bool can_erase = terminal == nullptr || std::string_view(terminal) != "dumb";
  if (wanted && can_erase && ::isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { show_until_stopped(); });
}

ProgressDisplay::~ProgressDisplay() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopped_ = true;
  }
  stopped_changed_.notify_one();
  thread_.join();
}

void ProgressDisplay::show_until_stopped() {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::unique_lock lock(mutex_);
  const auto wait = [&](std::chrono::milliseconds time) {
    return stopped_changed_.wait_for(lock, time, [this] { return stopped_; });
  };
  for (bool ended = wait(first_look); !ended; ended = wait(between_looks)) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    write_to_standard_error("\r\x1b[K" + line(state_(), seconds, columns_of_standard_error()));
    shown_ = true;
  }
  if (shown_) write_to_standard_error("\r\x1b[K");
}

std::string ProgressDisplay::line(const State& state, double seconds, std::size_t columns) {
  std::string text;
  if (state.fraction) {
    const double fraction = std::clamp(*state.fraction, 0.0, 1.0);
    const auto full = static_cast<std::size_t>(fraction * bar_columns);
    const std::string percent = std::to_string(static_cast<int>(fraction * 100));
    text = std::string(percent.size() < 3 ? 3 - percent.size() : 0, ' ') + percent + " % ";
    if (columns >= 80) text += repeated("━", full) + repeated("─", bar_columns - full) + "  ";
  }
  if (state.done > 0) text += with_separators(state.done) + " ";
  text += state.unit;
  if (state.done > 0 && seconds > 0) {
    text += "  " + with_separators(static_cast<std::uint64_t>(static_cast<double>(state.done) / seconds)) + "/s";
  }
  if (state.fraction && *state.fraction > 0.01) {
    text += "  " + duration(seconds * (1 - *state.fraction) / *state.fraction) + " left";
  }
  return text;
}

}  // namespace bytecnn::cli
