#include "block_pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "exit_status.hpp"
#include "standard_output.hpp"
#include "stop_request.hpp"

namespace bytecnn::cli {
namespace {

// So many records are classified at once that stopping is noticed soon, whatever one of them takes.
constexpr std::size_t first_batch = 256;
constexpr std::size_t least_batch = 16;
constexpr std::size_t largest_batch = 8192;
constexpr std::size_t batch_result_bytes = std::size_t{1} << 24U;  // logits and scores of one batch
constexpr std::chrono::milliseconds short_batch{10};
constexpr std::chrono::milliseconds long_batch{100};

}  // namespace

BlockPipeline::BlockPipeline(PipelineParts parts, unsigned threads)
    : parts_(std::move(parts)),
      threads_(threads),
      largest_batch_(std::clamp(batch_result_bytes / (2 * sizeof(float) * parts_.classifier.outputs()), least_batch,
                                largest_batch)),
      slots_(threads == 1 ? 1 : 2 * std::size_t{threads}) {
  for (Slot& slot : slots_) {
    slot.summary.found.resize(parts_.fail_on.size());
    free_.push_back(&slot);
  }
  summary_.found.resize(parts_.fail_on.size());
  waiting_.resize(slots_.size(), nullptr);
}

PipelineSummary BlockPipeline::run() {
  {
    std::vector<std::jthread> others;  // joined on the way out, also where one cannot be started
    for (unsigned t = 1; t < threads_; ++t) others.emplace_back([this] { work(); });
    work();
  }
  if (error_) std::rethrow_exception(error_);
  return std::move(summary_);
}

void BlockPipeline::work() noexcept {
  try {
    work_on_blocks();
  } catch (...) {
    stop_with(std::current_exception());
  }
}

void BlockPipeline::work_on_blocks() {
  Worker worker{BlockClassifier(parts_.classifier, parts_.strategy), std::min(first_batch, largest_batch_)};
  std::uint64_t number = 0;
  while (Slot* slot = take(number)) {
    classify_and_format(*slot, worker);
    hand_over(*slot, number);
  }
}

BlockPipeline::Slot* BlockPipeline::take(std::uint64_t& number) {
  const std::scoped_lock source_lock(source_mutex_);
  Slot* slot = nullptr;
  {
    std::unique_lock lock(order_mutex_);
    slot_is_free_.wait(lock, [this] { return ended_ || !free_.empty(); });
    if (ended_) return nullptr;
    slot = free_.back();
    free_.pop_back();
  }
  if (stop_requested() || !parts_.source.next(slot->block)) {
    const std::scoped_lock lock(order_mutex_);
    free_.push_back(slot);
    return nullptr;
  }
  number = next_number_++;
  return slot;
}

void BlockPipeline::classify_and_format(Slot& slot, Worker& worker) {
  using Clock = std::chrono::steady_clock;
  Block& block = slot.block;
  slot.lines.output.clear();
  slot.lines.messages.clear();
  slot.summary.records = slot.summary.errors = 0;
  for (Found& found : slot.summary.found) found = {};

  for (std::size_t begin = 0; begin < block.records.size() && !slot.cut_off;) {
    const auto start = Clock::now();
    const std::size_t ready = parts_.loader.load(block, begin, worker.batch);
    if (stop_requested() && block.contents == Contents::files) {  // a file may have been read in part
      slot.cut_off = true;
      break;
    }
    const std::size_t end = worker.blocks.classify(block, begin, ready);
    for (std::size_t i = begin; i < end; ++i) format(slot, i, worker.blocks);
    records_done_.fetch_add(end - begin, std::memory_order_relaxed);
    begin = end;

    const auto taken = Clock::now() - start;
    if (taken < short_batch) worker.batch = std::min(2 * worker.batch, largest_batch_);
    if (taken > long_batch) worker.batch = std::max(worker.batch / 2, least_batch);
    slot.cut_off = end < ready || (stop_requested() && begin < block.records.size());
  }
}

void BlockPipeline::format(Slot& slot, std::size_t index, BlockClassifier& blocks) {
  const Block& block = slot.block;
  const Record& record = block.records[index];
  ++slot.summary.records;
  if (record.remark != Record::no_remark && !block.error_of(record).empty()) {
    ++slot.summary.errors;
    parts_.writer.write_error(block, record, slot.lines);
    return;
  }
  Classified classified{blocks.result(index), blocks.logits(index), blocks.scores(index), {}};
  if (parts_.measure_time) classified.microseconds = blocks.measure_microseconds(record.bytes);
  parts_.writer.write(block, record, classified, slot.lines);
  for (std::size_t i = 0; i < parts_.fail_on.size(); ++i) {
    if (!matches(parts_.fail_on[i], parts_.classifier, classified.result, classified.scores)) continue;
    Found& found = slot.summary.found[i];
    if (++found.records == 1) found.first = block.name_of(record).text;
  }
}

void BlockPipeline::hand_over(Slot& slot, std::uint64_t number) {
  std::unique_lock lock(order_mutex_);
  waiting_[number % waiting_.size()] = &slot;
  if (writing_) return;
  writing_ = true;
  for (;;) {
    Slot*& next = waiting_[next_to_write_ % waiting_.size()];
    if (next == nullptr || ended_) break;
    Slot& ready = *std::exchange(next, nullptr);
    lock.unlock();
    write(ready);
    lock.lock();
    ended_ = ended_ || ready.cut_off;
    ++next_to_write_;
    free_.push_back(&ready);
    slot_is_free_.notify_one();
  }
  writing_ = false;
  if (ended_) slot_is_free_.notify_all();
}

void BlockPipeline::write(Slot& slot) {
  write_to_standard_output(slot.lines.output.text());
  write_to_standard_error(slot.lines.messages.text());
  summary_.records += slot.summary.records;
  summary_.errors += slot.summary.errors;
  for (std::size_t i = 0; i < summary_.found.size(); ++i) {
    Found& found = summary_.found[i];
    if (found.records == 0) found.first = slot.summary.found[i].first;
    found.records += slot.summary.found[i].records;
  }
}

void BlockPipeline::stop_with(std::exception_ptr error) {
  {
    const std::scoped_lock lock(order_mutex_);
    if (!error_) error_ = std::move(error);
    ended_ = true;
  }
  slot_is_free_.notify_all();
  request_stop();  // another thread may be waiting for input
}

}  // namespace bytecnn::cli
