#include "window_stream.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "classifier_impl.hpp"

namespace bytecnn {

WindowStream::WindowStream(const Classifier::Impl& classifier, Strategy strategy)
    : classifier_(classifier),
      strategy_(strategy),
      window_(classifier.model.architecture.max_len),
      half_(std::max<std::int64_t>(1, window_ / 2)),
      gathered_(classifier.outputs),
      logits_(classifier.outputs),
      scores_(classifier.outputs),
      bytes_(static_cast<std::size_t>(2 * window_)) {
  plan_shared_columns();
}

void WindowStream::plan_shared_columns() {
  if (!classifier_.pools_parts()) return;
  const Plan& plan = classifier_.planned->plan();
  auto variants = std::make_unique<const PlanVariants>(classifier_.model.architecture, plan);
  if (!variants->usable() || half_ % variants->stride() != 0) return;
  const std::int64_t half = half_ / variants->stride();
  Parts parts;
  parts.left = variants->left_columns();
  parts.right = variants->settled_columns(window_);
  parts.next_shared = half + parts.left;
  parts.unshared = parts.right - half;
  parts.columns =
      static_cast<std::int64_t>(classifier_.model.architecture.pooled_positions(static_cast<std::uint64_t>(window_)));
  // The field must be shorter than half a window; the second condition fails only for a field shorter than a stride.
  if (parts.unshared < parts.left || parts.unshared > parts.next_shared) return;
  parts_ = parts;
  shared_.emplace(plan.pool.pooling, plan.pool.channels);
  next_shared_ = shared_;
  all_ = shared_;
  variants_ = std::move(variants);
}

void WindowStream::push(std::span<const std::byte> bytes) noexcept {
  while (!bytes.empty()) {
    auto kept = static_cast<std::size_t>(length_ - first_);
    if (kept == bytes_.size()) {
      const auto needed = static_cast<std::size_t>(window_);
      std::memmove(bytes_.data(), bytes_.data() + kept - needed, needed);
      first_ = length_ - window_;
      kept = needed;
    }
    const std::size_t count = std::min(bytes.size(), bytes_.size() - kept);
    std::memcpy(bytes_.data() + kept, bytes.data(), count);
    length_ += static_cast<std::int64_t>(count);
    bytes = bytes.subspan(count);
    // A window that ends with the input may still be the last one, which `classify` adds.
    for (; next_ + window_ < length_; next_ += half_) add_window(bytes_.data() + (next_ - first_));
  }
}

void WindowStream::pool_part(const Plan& plan, const unsigned char* window, std::int64_t begin, std::int64_t end,
                             float* working, PooledColumns& into) const noexcept {
  if (begin == end) return;
  const std::int64_t first = begin == 0 ? 0 : variants_->first_token(begin);
  const std::int64_t last = end == parts_.columns ? window_ : variants_->tokens_for(end);
  classifier_.kernels->pool(plan, window + first, static_cast<std::size_t>(last - first), working);
  into.add(working + plan.features_offset, static_cast<double>(end - begin));
}

Status WindowStream::run_shared(const unsigned char* window, float* working) noexcept {
  const Plan& middle = variants_->middle();
  if (next_ == 0) {
    shared_->clear();
    pool_part(middle, window, parts_.left, parts_.unshared, working, *shared_);
  }
  next_shared_->clear();
  pool_part(middle, window, parts_.next_shared, parts_.right, working, *next_shared_);
  all_->copy(*shared_);
  all_->add(*next_shared_);
  std::swap(shared_, next_shared_);
  pool_part(middle, window, parts_.unshared, parts_.next_shared, working, *all_);
  pool_part(variants_->front(), window, 0, parts_.left, working, *all_);
  pool_part(variants_->tail(parts_.right), window, parts_.right, parts_.columns, working, *all_);

  const Plan& plan = classifier_.planned->plan();
  all_->finish({working + plan.features_offset, plan.features_floats}, 0);
  classifier_.kernels->head(plan, working, logits_.data(), scores_.data());
  return Status::ok;
}

void WindowStream::add_window(const unsigned char* window) noexcept {
  Status status = Status::ok;
  if (variants_ != nullptr) {
    status = classifier_.with_working_memory([&](float* working) noexcept { return run_shared(window, working); });
  } else {
    Result ignored;
    const std::span<const unsigned char> input(window, static_cast<std::size_t>(window_));
    status = classifier_.run(std::as_bytes(input), logits_.data(), scores_.data(), ignored);
  }
  if (status != Status::ok) status_ = status;
  for (std::size_t o = 0; o < gathered_.size(); ++o) gathered_[o].add(static_cast<double>(logits_[o]), strategy_);
}

void WindowStream::combine(float* logits, float* scores) const noexcept {
  const auto outputs = gathered_.size();
  for (std::size_t o = 0; o < outputs; ++o) {
    WindowLogits all = gathered_[o];
    all.add(static_cast<double>(logits[o]), strategy_);
    logits[o] = static_cast<float>(all.value(strategy_));
  }
  switch (classifier_.model.architecture.output) {
    case Output::none:
      std::copy(logits, logits + outputs, scores);
      break;
    case Output::sigmoid:
      std::transform(logits, logits + outputs, scores,
                     [](float x) { return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x)))); });
      break;
    case Output::softmax: {
      const double largest = static_cast<double>(*std::max_element(logits, logits + outputs));
      const auto weight = [largest](float x) { return std::exp(static_cast<double>(x) - largest); };
      double sum = 0;
      for (std::size_t o = 0; o < outputs; ++o) sum += weight(logits[o]);
      std::transform(logits, logits + outputs, scores, [&](float x) { return static_cast<float>(weight(x) / sum); });
      break;
    }
  }
}

Status WindowStream::classify(float* logits, float* scores, Result& result) const noexcept {
  const std::int64_t count = std::min(length_, window_);
  const std::span<const unsigned char> window(bytes_.data() + (length_ - first_ - count),
                                              static_cast<std::size_t>(count));
  if (length_ <= window_) return classifier_.run(std::as_bytes(window), logits, scores, result);
  if (status_ != Status::ok) return status_;
  const auto finish = [&](float* own_logits, float* own_scores) noexcept {
    combine(own_logits, own_scores);
    if (logits != nullptr) std::copy_n(own_logits, gathered_.size(), logits);
    if (scores != nullptr) std::copy_n(own_scores, gathered_.size(), scores);
    classifier_.decide(own_scores, result);
    return Status::ok;
  };
  if (!classifier_.planned) {  // the reference allocates, and says so
    try {
      std::vector<float> own(2 * gathered_.size());
      float* const own_scores = own.data() + gathered_.size();
      const Status status = classifier_.run(std::as_bytes(window), own.data(), own_scores, result);
      return status == Status::ok ? finish(own.data(), own_scores) : status;
    } catch (const std::exception&) {
      return Status::out_of_memory;
    }
  }
  return classifier_.with_working_memory([&](float* working) noexcept {
    float* const own_logits = classifier_.own_logits(working);
    float* const own_scores = classifier_.own_scores(working);
    classifier_.run_kernels(std::as_bytes(window), working, own_logits, own_scores);
    return finish(own_logits, own_scores);
  });
}

void WindowStream::reset() noexcept {
  first_ = length_ = next_ = 0;
  status_ = Status::ok;
  std::ranges::fill(gathered_, WindowLogits{});
}

std::size_t WindowStream::memory_bytes() const noexcept {
  return sizeof(WindowStream) + bytes_.capacity() + gathered_.capacity() * sizeof(WindowLogits) +
         2 * logits_.capacity() * sizeof(float) + (all_ ? 3 * all_->memory_bytes() : 0);
}

}  // namespace bytecnn
