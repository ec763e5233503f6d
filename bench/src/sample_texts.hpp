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

/// Texts of one kind, all of `length` bytes, cut out of the second half of the kind's sample at places spread over all
/// of it. So many that neither the branch predictors nor the first-level cache know them by heart. English and the
/// other languages come from Debian's fortunes where they are installed (a megabyte and more), code from the C
/// library's headers; else there is a page of each that is part of this program.
class SampleTexts {
 public:
  /// Throws `Error` (usage) on an unknown kind, `Error` (io) where the executable cannot be read.
  SampleTexts(std::string_view kind, std::size_t length);

  [[nodiscard]] std::span<const Text> texts() const noexcept { return texts_; }
  /// Pieces of the first half, 256 kB at most: what a user would have to learn from.
  [[nodiscard]] std::span<const Text> others() const noexcept { return others_; }

 private:
  std::vector<std::byte> bytes_, other_bytes_;
  std::vector<Text> texts_, others_;
};

}  // namespace bytecnn::bench
