#include "block_classifier.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace bytecnn::cli {
namespace {

/// Below this many bytes a second thread costs more than it saves.
constexpr std::size_t worth_a_thread = std::size_t{1} << 14U;

constexpr std::size_t rounds = 9;
constexpr std::chrono::microseconds round_length{200};

}  // namespace

bool BlockClassifier::needs_windows(std::span<const std::byte> input) const {
  return strategy_ != Strategy::truncate && input.size() > classifier_.model().architecture.max_len;
}

void BlockClassifier::classify(Block& block) {
  const std::size_t outputs = classifier_.outputs();
  results_.assign(block.size(), {});
  logits_.resize(block.size() * outputs);
  scores_.resize(block.size() * outputs);

  // Every record goes into the batch, so that row i belongs to record i: an erroneous one as an input of no bytes, and
  // what needs windows as its beginning, which is overwritten below.
  inputs_.clear();
  std::size_t bytes = 0;
  for (const Record& record : block) {
    inputs_.push_back(needs_windows(record.bytes) ? std::span<const std::byte>{} : record.bytes);
    bytes += inputs_.back().size();
  }
  classifier_.classify_batch(inputs_, results_, logits_, scores_, bytes < worth_a_thread ? 1 : threads_);

  for (std::size_t i = 0; i < block.size(); ++i) {
    Record& record = block[i];
    if (!record.error.empty()) continue;
    if (needs_windows(record.bytes)) {
      results_[i] = classify_windows(classifier_, record.bytes, strategy_, row(logits_, i), row(scores_, i), threads_);
    }
    const auto finite = [](float logit) { return std::isfinite(logit); };
    if (results_[i].status != Status::ok) {
      record.error = to_string(results_[i].status);
    } else if (!std::ranges::all_of(logits(i), finite)) {
      record.error = "the model's logits overflow for this input";
    }
  }
}

double BlockClassifier::measure_microseconds(std::span<const std::byte> input) {
  using Clock = std::chrono::steady_clock;
  std::vector<float> logits(classifier_.outputs());
  std::vector<float> scores(classifier_.outputs());
  const auto once = [&] {
    if (needs_windows(input)) {
      static_cast<void>(classify_windows(classifier_, input, strategy_, logits, scores, 1));
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
