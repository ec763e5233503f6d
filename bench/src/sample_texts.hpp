#pragma once
/// What is classified: many different texts of one kind and one length.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "contender.hpp"

namespace bytecnn::bench {

/// "english", "languages" (UTF-8 in many scripts), "code", "binary" (this program's own executable), "random".
[[nodiscard]] std::vector<std::string_view> text_kinds();

/// Texts of one kind, all of `length` bytes, cut out of the kind's sample at places spread over all of it. So many that
/// neither the branch predictors nor the first-level cache know them by heart.
class SampleTexts {
 public:
  static constexpr std::size_t count = 128;

  /// Throws `Error` (usage) on an unknown kind, `Error` (io) where the executable cannot be read.
  SampleTexts(std::string_view kind, std::size_t length);

  [[nodiscard]] std::span<const Text> texts() const noexcept { return texts_; }

 private:
  std::vector<std::byte> bytes_;
  std::vector<Text> texts_;
};

}  // namespace bytecnn::bench
