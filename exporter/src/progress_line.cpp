#include "progress_line.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include <unistd.h>

namespace bytecnn::exporter {

ProgressLine::ProgressLine(bool wanted, std::string work, std::string unit)
    : shown_(wanted && ::isatty(STDERR_FILENO) == 1), work_(std::move(work)), unit_(std::move(unit)) {}

ProgressLine::~ProgressLine() {
  if (shown_) std::cerr << "\r\033[K" << std::flush;
}

void ProgressLine::show(std::size_t done, std::size_t all, const std::string& note) {
  if (!shown_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_ && done != all) return;
  next_ = now + std::chrono::milliseconds(50);
  constexpr std::size_t width = 24;
  const std::size_t filled = all == 0 ? width : std::min(width, done * width / all);
  std::cerr << "\r" << work_ << " [" << std::string(filled, '#') << std::string(width - filled, ' ') << "] " << done
            << " of " << all << " " << unit_ << (note.empty() ? "" : ", " + note) << "\033[K" << std::flush;
}

}  // namespace bytecnn::exporter
