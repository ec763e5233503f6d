#pragma once
/// What is compared: anything that turns raw bytes into a score.

#include <cstddef>
#include <span>
#include <string>

namespace bytecnn::bench {

using Text = std::span<const std::byte>;

class Contender {
 public:
  explicit Contender(std::string name) : name_(std::move(name)) {}
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;
  virtual ~Contender() = default;

  /// As it stands in tables and benchmark names, e.g. "bytecnn avx512", "libtorch eager".
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Not timed: what follows is text of a kind, of which `sample` is other text. Kinds have their turns one after
  /// another, so this is called again and again; the sample of a kind is always the same.
  virtual void expect_text_like(const std::string& /*kind*/, std::span<const Text> /*sample*/) {}

  /// This is what is timed: each text by itself (batch size one), raw bytes in, probability out; truncation, padding
  /// and embedding included. Returns the sum of the scores, so that no work can be left out. The loop is inside, so
  /// that the virtual call is paid once a block and not once a text.
  virtual double classify_each(std::span<const Text> texts) = 0;

  /// Not timed: logits of one text, for the check that all contenders compute the same.
  virtual void logits(Text text, std::span<float> logits) = 0;

 private:
  std::string name_;
};

}  // namespace bytecnn::bench
