#pragma once
/// What `bytecnn bench` classifies: texts of several lengths, many of each, so that neither the branch predictors nor
/// the first-level cache know them by heart.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bytecnn::cli {

/// Texts of about one length.
struct LengthClass {
  std::size_t shortest = 0;
  std::size_t longest = 0;
  std::vector<std::span<const std::byte>> texts;
};

class SampleTexts {
 public:
  /// Prose that comes with the program, cut to each of `lengths`; those beyond `max_len` are left out, `max_len` itself
  /// is always among them.
  SampleTexts(std::vector<std::size_t> lengths, std::size_t max_len);
  /// The lines of a file ("-": standard input), of each no more than `max_len` bytes; lengths are told apart by powers
  /// of two. Of a very large file the beginning is taken. Throws `Error` (io) where it cannot be read, (invalid) where
  /// it holds no line.
  SampleTexts(const std::string& corpus, std::size_t max_len);

  [[nodiscard]] std::span<const LengthClass> classes() const noexcept { return classes_; }
  /// All lines of the corpus in their order; of the prose, texts of all lengths in turn.
  [[nodiscard]] std::span<const std::span<const std::byte>> all() const noexcept { return all_; }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// "English prose" or the corpus's name.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
  std::vector<std::byte> memory_;
  std::vector<LengthClass> classes_;
  std::vector<std::span<const std::byte>> all_;
  std::uint64_t bytes_ = 0;
};

}  // namespace bytecnn::cli
