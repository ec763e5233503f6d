#pragma once
/// Progress of long work, for people.

#include <chrono>
#include <cstddef>
#include <string>

namespace bytecnn::exporter {

/// A line on standard error with a bar, overwritten while the work runs and gone when it ends; nothing at all unless
/// standard error is a terminal. To be used from one thread at a time.
class ProgressLine {
 public:
  /// "verifying [#####     ] 120 of 300 inputs"
  ProgressLine(bool wanted, std::string work, std::string unit);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine();

  /// Draws at most some twenty times a second, whatever the number of calls. `note` follows the numbers.
  void show(std::size_t done, std::size_t all, const std::string& note = {});

 private:
  bool shown_;
  std::string work_, unit_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace bytecnn::exporter
