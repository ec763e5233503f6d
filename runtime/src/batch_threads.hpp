#pragma once
/// Threads that are kept from one batch to the next: starting one costs more than a thousand short texts.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <sys/types.h>

namespace bytecnn {

/// Threads are started when they are first wanted and wait, asleep, until they are wanted again; there are never more
/// than were wanted at one time. All members may be called by many threads at once.
class BatchThreads {
 public:
  /// What a thread is to do: once, together with others that do the same. It must not throw.
  struct Work {
    void (*run)(void* context) noexcept = nullptr;
    void* context = nullptr;
  };

  BatchThreads();
  BatchThreads(const BatchThreads&) = delete;
  BatchThreads& operator=(const BatchThreads&) = delete;
  /// No `run` may be under way.
  ~BatchThreads() = default;

  /// Runs `work` on the calling thread and on up to `others` further ones; returns when all that began have ended. One
  /// that has not begun when the calling thread is done begins no more. Does not throw: where a thread cannot be
  /// started, there are fewer.
  void run(unsigned others, Work work) noexcept;

  /// False in a child process, where these threads do not exist: after fork(2) there is only the one that called it.
  [[nodiscard]] bool in_own_process() const noexcept;

 private:
  struct Job {
    Work work;
    unsigned wanted = 0;   ///< threads that may still begin
    unsigned running = 0;  ///< that have begun and not ended
  };

  void serve(const std::stop_token& stop) noexcept;
  void start_missing() noexcept;

  pid_t process_;
  std::mutex mutex_;
  std::condition_variable_any wanted_;  ///< a job has come
  std::condition_variable ended_;       ///< a thread has ended its part
  std::vector<Job*> jobs_;              ///< those that want threads
  unsigned idle_ = 0;
  std::vector<std::jthread> threads_;  ///< last: they end before what they use
};

/// Makes its `BatchThreads` on first use, and new ones in a child process: those of the parent are abandoned there, for
/// nothing in them can be waited for.
class KeptBatchThreads {
 public:
  KeptBatchThreads() = default;
  KeptBatchThreads(const KeptBatchThreads&) = delete;
  KeptBatchThreads& operator=(const KeptBatchThreads&) = delete;
  ~KeptBatchThreads();

  /// Null where memory is exhausted.
  [[nodiscard]] BatchThreads* get() noexcept;

 private:
  std::atomic<BatchThreads*> threads_{nullptr};
};

}  // namespace bytecnn
