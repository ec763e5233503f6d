#include "text_stream.hpp"

#include <algorithm>
#include <cstring>

#include "classifier_impl.hpp"

namespace bytecnn {
namespace {

constexpr std::int64_t least_block_columns = 64;
/// Large pushes are taken in pieces of this many bytes.
constexpr std::int64_t piece_bytes = 4096;

}  // namespace

TextStream::TextStream(const Classifier::Impl& classifier) : classifier_(classifier) {
  const std::int64_t max_len = classifier.model.architecture.max_len;
  std::int64_t capacity = max_len;
  if (classifier.pools_parts()) {
    const Plan& plan = classifier.planned->plan();
    auto variants = std::make_unique<const PlanVariants>(classifier.model.architecture, plan);
    if (variants->usable()) {
      const std::int64_t stride = variants->stride();
      const std::int64_t field = variants->field();
      // Twice what a block needs, so that bytes are moved rarely; a front must hold more than the left border.
      block_columns_ = std::max({least_block_columns, field / stride, variants->left_columns() + 1});
      capacity = std::min(max_len, std::max(2 * (block_columns_ * stride + field), piece_bytes));
      pooled_.emplace(plan.pool.pooling, plan.pool.channels);
      variants_ = std::move(variants);
    }
  }
  bytes_.resize(static_cast<std::size_t>(capacity));
}

void TextStream::push(std::span<const std::byte> bytes) noexcept {
  const auto room = static_cast<std::size_t>(classifier_.model.architecture.max_len - length_);
  bytes = bytes.first(std::min(bytes.size(), room));
  while (!bytes.empty()) {
    const auto kept = static_cast<std::size_t>(length_ - first_);
    const std::size_t count = std::min(bytes.size(), bytes_.size() - kept);
    std::memcpy(bytes_.data() + kept, bytes.data(), count);
    length_ += static_cast<std::int64_t>(count);
    bytes = bytes.subspan(count);
    if (variants_ != nullptr) pool_settled_columns();
  }
}

void TextStream::pool_settled_columns() noexcept {
  const std::int64_t settled = variants_->settled_columns(length_);
  if (settled - done_ < block_columns_) return;
  const Plan& plan = done_ == 0 ? variants_->front() : variants_->middle();
  const std::int64_t begin = done_ == 0 ? 0 : variants_->first_token(done_);
  const std::int64_t count = variants_->tokens_for(settled) - begin;
  const Status status = classifier_.with_working_memory([&](float* working) noexcept {
    classifier_.kernels->pool(plan, token(begin), static_cast<std::size_t>(count), working);
    pooled_->add(working + plan.features_offset, static_cast<double>(settled - done_));
    return Status::ok;
  });
  if (status != Status::ok) return;  // `classify` meets the same want of memory, and tells
  done_ = settled;
  const std::int64_t next = variants_->first_token(settled);
  std::memmove(bytes_.data(), token(next), static_cast<std::size_t>(length_ - next));
  first_ = next;
}

Status TextStream::classify(float* logits, float* scores, Result& result) const noexcept {
  if (done_ == 0) {
    const std::span<const unsigned char> input(bytes_.data(), static_cast<std::size_t>(length_));
    return classifier_.run(std::as_bytes(input), logits, scores, result);
  }
  const Architecture& architecture = classifier_.model.architecture;
  const auto tokens = architecture.pad_token ? architecture.max_len : static_cast<std::uint64_t>(length_);
  const std::int64_t rest = static_cast<std::int64_t>(architecture.pooled_positions(tokens)) - done_;
  return classifier_.with_working_memory([&](float* working) noexcept {
    const Plan& plan = classifier_.planned->plan();
    const std::int64_t begin = variants_->first_token(done_);
    if (rest > 0) {
      classifier_.kernels->pool(variants_->tail(done_), token(begin), static_cast<std::size_t>(length_ - begin),
                                working);
    }
    pooled_->finish({working + plan.features_offset, plan.features_floats}, static_cast<double>(rest));
    float* const logits_out = logits != nullptr ? logits : classifier_.own_logits(working);
    float* const scores_out = scores != nullptr ? scores : classifier_.own_scores(working);
    classifier_.kernels->head(plan, working, logits_out, scores_out);
    classifier_.decide(scores_out, result);
    return Status::ok;
  });
}

void TextStream::reset() noexcept {
  first_ = length_ = done_ = 0;
  if (pooled_) pooled_->clear();
}

std::size_t TextStream::memory_bytes() const noexcept {
  return sizeof(TextStream) + bytes_.capacity() + (pooled_ ? pooled_->memory_bytes() : 0);
}

}  // namespace bytecnn
