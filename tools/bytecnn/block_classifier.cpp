#include "block_classifier.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "stop_request.hpp"

namespace bytecnn::cli {
namespace {

/// Of a long file, read at once.
constexpr std::size_t piece_bytes = std::size_t{1} << 17U;

constexpr std::size_t rounds = 9;
constexpr std::chrono::microseconds round_length{200};

/// False for infinities and NaN. The sum of a few finite floats in double stays finite.
bool all_finite(std::span<const float> logits) {
  double sum = 0;
  for (const float logit : logits) sum += std::abs(static_cast<double>(logit));
  return std::isfinite(sum);
}

}  // namespace

bool BlockClassifier::needs_windows(std::span<const std::byte> input) const {
  return strategy_ != Strategy::truncate && input.size() > classifier_.model().architecture.max_len;
}

Result BlockClassifier::classify_windows(std::span<const std::byte> input, InputFile* rest, std::span<float> logits,
                                         std::span<float> scores) {
  windows_.reset();
  windows_.push(input);
  if (rest != nullptr) {
    piece_.resize(piece_bytes);
    while (!stop_requested()) {
      const std::size_t count = rest->read_some(piece_);
      if (count == 0) break;
      windows_.push(std::span(piece_).first(count));
    }
  }
  return windows_.classify(logits, scores);
}

std::size_t BlockClassifier::classify(Block& block, std::size_t begin, std::size_t end) {
  const std::size_t outputs = classifier_.outputs();
  const std::size_t count = end - begin;
  begin_ = begin;
  results_.resize(count);
  logits_.resize(count * outputs);
  scores_.resize(count * outputs);

  // Every record goes into the batch, so that row i belongs to record begin + i: an erroneous one as an input of no
  // bytes, and what needs windows as well, which is overwritten below.
  inputs_.clear();
  bool any_windows = false;
  for (std::size_t i = begin; i < end; ++i) {
    const auto input = block.records[i].bytes;
    const bool windows = needs_windows(input);
    inputs_.push_back(windows ? std::span<const std::byte>{} : input);
    any_windows = any_windows || windows;
  }
  classifier_.classify_batch(inputs_, results_, logits_, scores_, 1);

  for (std::size_t i = 0; i < count; ++i) {
    Record& record = block.records[begin + i];
    if (record.remark != Record::no_remark && !block.error_of(record).empty()) continue;
    std::string reason;
    if (any_windows && needs_windows(record.bytes)) {
      const auto rest = record.remark == Record::no_remark ? nullptr : std::move(block.remarks[record.remark].rest);
      results_[i] = classify_windows(record.bytes, rest.get(), row(logits_, i), row(scores_, i));
      if (rest && stop_requested()) return begin + i;
      if (rest) reason = rest->error();
    }
    if (!reason.empty()) {
      block.fail(record, std::move(reason));
    } else if (results_[i].status != Status::ok) {
      block.fail(record, std::string(to_string(results_[i].status)));
    } else if (!all_finite(row(logits_, i))) {
      block.fail(record, "the model's logits overflow for this input");
    }
  }
  return end;
}

double BlockClassifier::measure_microseconds(std::span<const std::byte> input) {
  using Clock = std::chrono::steady_clock;
  std::vector<float> logits(classifier_.outputs());
  std::vector<float> scores(classifier_.outputs());
  const auto once = [&] {
    if (needs_windows(input)) {
      static_cast<void>(classify_windows(input, nullptr, logits, scores));
    } else {
      static_cast<void>(classifier_.classify(input, logits, scores));
    }
  };

  // As many calls a round as fill its length: the clock itself costs tens of nanoseconds.
  std::size_t calls = 0;
  const auto warm_up = Clock::now();
  do {
    once();
    ++calls;
  } while (Clock::now() - warm_up < round_length);

  std::array<double, rounds> times{};
  for (double& time : times) {
    const auto start = Clock::now();
    for (std::size_t i = 0; i < calls; ++i) once();
    time = std::chrono::duration<double, std::micro>(Clock::now() - start).count() / static_cast<double>(calls);
  }
  std::ranges::nth_element(times, times.begin() + rounds / 2);
  return times[rounds / 2];
}

}  // namespace bytecnn::cli
