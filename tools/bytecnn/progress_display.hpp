#pragma once
/// A line on standard error that tells how far long work is. Shown only where standard error is a terminal, and after a
/// moment, so that short work shows nothing.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace bytecnn::cli {

class ProgressDisplay {
 public:
  struct State {
    std::uint64_t done = 0;
    std::string_view unit;           ///< "records"
    std::optional<double> fraction;  ///< of the whole work, where that is known
  };

  /// `state` is asked by another thread until this object ends. Not `wanted`: nothing is shown.
  ProgressDisplay(bool wanted, std::function<State()> state);
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;
  /// Takes the line away.
  ~ProgressDisplay();

  /// "  42 % ━━━━━━━━━━━━━────────────  2,400,000 records  1,200,000/s  3 s left"
  [[nodiscard]] static std::string line(const State& state, double seconds, std::size_t columns);

 private:
  void show_until_stopped();

  std::function<State()> state_;
  std::mutex mutex_;
  std::condition_variable stopped_changed_;
  bool stopped_ = false;
  bool shown_ = false;  ///< of the displaying thread alone
  std::thread thread_;
};

}  // namespace bytecnn::cli
