#include "batch_threads.hpp"

#include <algorithm>
#include <exception>
#include <new>

#include <unistd.h>

namespace bytecnn {

BatchThreads::BatchThreads() : process_(::getpid()) {}

bool BatchThreads::in_own_process() const noexcept {
  return process_ == ::getpid();
}

void BatchThreads::start_missing() noexcept {
  std::size_t missing = 0;
  for (const Job* job : jobs_) missing += job->wanted;
  try {
    for (; missing > idle_; ++idle_) {
      threads_.emplace_back([this](const std::stop_token& stop) noexcept { serve(stop); });
    }
  } catch (const std::exception&) {  // no memory or no more threads: those that there are do the work
  }
}

void BatchThreads::run(unsigned others, Work work) noexcept {
  Job job{work, others, 0};
  bool queued = false;
  try {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(&job);
    queued = true;
    start_missing();
  } catch (const std::exception&) {  // no memory for the list: this thread does all
  }
  if (queued) {
    for (unsigned i = 0; i < others; ++i) wanted_.notify_one();
  }
  work.run(work.context);
  if (!queued) return;
  std::unique_lock lock(mutex_);
  std::erase(jobs_, &job);
  ended_.wait(lock, [&job] { return job.running == 0; });
}

void BatchThreads::serve(const std::stop_token& stop) noexcept {
  std::unique_lock lock(mutex_);
  while (wanted_.wait(lock, stop, [this] { return !jobs_.empty(); })) {
    Job& job = *jobs_.front();
    ++job.running;
    if (--job.wanted == 0) std::erase(jobs_, &job);
    --idle_;
    lock.unlock();
    job.work.run(job.work.context);
    lock.lock();
    ++idle_;
    if (--job.running == 0) ended_.notify_all();
  }
}

KeptBatchThreads::~KeptBatchThreads() {
  BatchThreads* const threads = threads_.load();
  // Those of another process have nobody to join.
  if (threads != nullptr && threads->in_own_process()) delete threads;
}

BatchThreads* KeptBatchThreads::get() noexcept {
  BatchThreads* known = threads_.load();
  while (known == nullptr || !known->in_own_process()) {
    auto* const fresh = new (std::nothrow) BatchThreads;
    if (fresh == nullptr) return nullptr;
    if (threads_.compare_exchange_strong(known, fresh)) return fresh;
    delete fresh;  // another thread was first
  }
  return known;
}

}  // namespace bytecnn
