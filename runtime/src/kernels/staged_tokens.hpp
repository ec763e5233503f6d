#pragma once
/// Tokens of a stretch of the input in one array: what lies outside, the text, its padding.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "kernels/table_stage.hpp"

namespace bytecnn::kernels {

/// Single tokens at the borders of the text, without branches that the length decides.
class EdgeTokens {
 public:
  /// From position `end` on there is nothing, and no window.
  EdgeTokens(const TokenSource& source, std::int64_t end) noexcept
      : bytes_(source.length > 0 ? source.bytes : &no_byte),
        last_(source.length > 0 ? source.length - 1 : 0),
        length_(source.length),
        tokens_(source.tokens),
        end_(end),
        pad_(source.pad_token),
        outside_(source.outside) {}

  [[nodiscard]] BYTECNN_INLINE std::uint64_t at(std::int64_t position) const {
    std::int64_t inside = position < last_ ? position : last_;
    inside = inside < 0 ? 0 : inside;
    const std::uint64_t byte = bytes_[inside];
    std::uint64_t token = position < tokens_ ? pad_ : outside_;
    token = position < length_ ? byte : token;
    token = position < 0 ? outside_ : token;
    return position < end_ ? token : outside_ + 1;
  }

 private:
  static constexpr unsigned char no_byte = 0;
  const unsigned char* bytes_;
  std::int64_t last_;
  std::int64_t length_;
  std::int64_t tokens_;
  std::int64_t end_;
  std::uint64_t pad_;
  std::uint64_t outside_;
};

BYTECNN_INLINE void fill_tokens(std::uint32_t token, std::int64_t count, std::uint16_t* out) noexcept {
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<std::uint16_t>(token);
}

/// Tokens [first, first + count) of the input into `out`. Not inlined: it is called once for many windows, from many
/// instances. A template, so that every instruction set has its own.
template <class Arch>
__attribute__((noinline)) void stage_tokens(const TokenSource& source, std::int64_t first, std::int64_t count,
                                            std::uint16_t* out) noexcept {
  const auto clip = [first, count](std::int64_t position) {
    const std::int64_t at = position - first;
    return at < 0 ? 0 : (at < count ? at : count);
  };
  const std::int64_t text = clip(0);
  const std::int64_t padding = clip(source.length);
  const std::int64_t behind = clip(source.tokens);
  fill_tokens(source.outside, text, out);
  for (std::int64_t i = text; i < padding; ++i) out[i] = source.bytes[first + i];
  fill_tokens(source.pad_token, behind - padding, out + padding);
  fill_tokens(source.outside, count - behind, out + behind);
}

/// The same where windows see positions [begin, end) alone: all others become the token for no window at all.
template <class Arch>
void stage_window_tokens(const TokenSource& source, std::int64_t begin, std::int64_t end, std::int64_t first,
                         std::int64_t count, std::uint16_t* out) noexcept {
  stage_tokens<Arch>(source, first, count, out);
  if (first < begin) fill_tokens(source.outside + 1, smaller(begin - first, count), out);
  const std::int64_t behind = end < first ? 0 : end - first;
  if (behind < count) fill_tokens(source.outside + 1, count - behind, out + behind);
}

}  // namespace bytecnn::kernels
