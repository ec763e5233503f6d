#pragma once
/// Blocks from a source through the classifier to standard output, in order, on any number of threads.
///
///   source ──next()──▶ [block 7] classify, format ─┐
///    one at a time     [block 8] classify, format ─┼─▶ written in the order of their numbers
///                      [block 9] classify, format ─┘
///
/// Every thread takes the next block, works on it alone, and leaves it where its turn to be written has not come. There
/// are twice as many blocks as threads, which bounds the memory whatever the length of the input.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "block_classifier.hpp"
#include "fail_on.hpp"
#include "record_loader.hpp"
#include "record_source.hpp"
#include "record_writer.hpp"

namespace bytecnn::cli {

/// How often a `--fail-on` rule found what it looks for, and in which record first.
struct Found {
  std::uint64_t records = 0;
  std::string first;
};

struct PipelineSummary {
  std::uint64_t records = 0;
  std::uint64_t errors = 0;
  std::vector<Found> found;  ///< one for each rule
};

struct PipelineParts {
  RecordSource& source;
  const RecordLoader& loader;
  const Classifier& classifier;
  const RecordWriter& writer;
  Strategy strategy = Strategy::truncate;
  std::vector<FailOn> fail_on;
  bool measure_time = false;
};

class BlockPipeline {
 public:
  /// `threads`: at least 1.
  BlockPipeline(PipelineParts parts, unsigned threads);

  /// Works until the source is at its end or stopping is asked for; what was classified by then is written. Throws what
  /// writing throws, and `std::bad_alloc`.
  PipelineSummary run();

  /// Records that were classified so far. May be asked while `run` works.
  [[nodiscard]] std::uint64_t records_done() const noexcept { return records_done_; }

 private:
  struct Slot {
    Block block;
    WrittenLines lines;
    PipelineSummary summary;
    bool cut_off = false;  ///< stopping was asked for in its midst: what follows is not written
  };

  /// What a thread has for itself.
  struct Worker {
    BlockClassifier blocks;
    std::size_t batch;  ///< records that it classifies at once
  };

  void work() noexcept;
  void work_on_blocks();
  /// The next block in a free slot, and its number; null at the end.
  Slot* take(std::uint64_t& number);
  void classify_and_format(Slot& slot, Worker& worker);
  void format(Slot& slot, std::size_t index, BlockClassifier& blocks);
  /// Writes this block and those that waited for it, or leaves it to whoever writes the one before.
  void hand_over(Slot& slot, std::uint64_t number);
  void write(Slot& slot);
  void stop_with(std::exception_ptr error);

  PipelineParts parts_;
  unsigned threads_;
  std::size_t largest_batch_;
  std::vector<Slot> slots_;
  PipelineSummary summary_;
  std::atomic<std::uint64_t> records_done_{0};

  std::mutex source_mutex_;
  std::uint64_t next_number_ = 0;  ///< guarded by source_mutex_

  std::mutex order_mutex_;
  std::condition_variable slot_is_free_;
  std::vector<Slot*> free_;     // These are guarded by order_mutex_:
  std::vector<Slot*> waiting_;  ///< by number modulo the number of slots
  std::uint64_t next_to_write_ = 0;
  bool writing_ = false;
  bool ended_ = false;  ///< nothing more is taken or written
  std::exception_ptr error_;
};

}  // namespace bytecnn::cli
