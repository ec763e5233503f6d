// What happens to real inputs on their way happens to mixtures of the corpus: each kind of distortion appears.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "random_original.hpp"
#include "verify/corpus.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// Pieces of this line show what was done to them: its letters are small and in order.
constexpr std::string_view line = "abcdefghijklmnopqrstuvwxyz";

VerifyOptions with_corpus(std::size_t samples, std::uint64_t seed = 1) {
  VerifyOptions options;
  options.samples = samples;
  options.seed = seed;
  Bytes bytes;
  for (const char c : line) bytes.push_back(static_cast<std::byte>(c));
  options.corpus = {{"line 1", bytes}};
  return options;
}

std::vector<std::string> mixtures(const Architecture& architecture, const VerifyOptions& options) {
  std::vector<std::string> found;
  for (const NamedInput& input : verification_inputs(fold(with_random_weights(architecture, 3)), options)) {
    if (!input.name.starts_with("random mixture of the corpus")) continue;
    EXPECT_EQ(input.kind, "mixture of the corpus");
    std::string text;
    for (const std::byte byte : input.bytes) text += static_cast<char>(byte);
    found.push_back(std::move(text));
  }
  return found;
}

struct Signs {
  bool capitals = false;   ///< another case
  bool noise = false;      ///< bytes that the line has not in either case
  std::size_t breaks = 0;  ///< neighbours that the line has not: where pieces meet, and wherever bytes were shuffled
};

Signs signs_of(const std::string& text) {
  Signs signs;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    signs.capitals = signs.capitals || (c < 0x80 && std::isupper(c) != 0);
    signs.noise = signs.noise || c >= 0x80 || std::isalpha(c) == 0;
    if (i > 0 && text[i] != text[i - 1] + 1) ++signs.breaks;
  }
  return signs;
}

TEST(CorpusDistortions, AllAppearAndPlainMixturesToo) {
  const Architecture architecture = two_layer_original(1).architecture;
  std::size_t other_case = 0, spliced = 0, shuffled = 0, plain = 0;
  const auto found = mixtures(architecture, with_corpus(800));
  ASSERT_GT(found.size(), 150U);
  std::set<std::size_t> lengths;
  for (const std::string& text : found) {
    const Signs signs = signs_of(text);
    lengths.insert(text.size());
    if (signs.noise) {
      ++spliced;
    } else if (signs.capitals) {
      ++other_case;
    } else if (text.size() > 8 && signs.breaks > text.size() / 2) {
      ++shuffled;
    } else {
      ++plain;
    }
  }
  const std::size_t few = found.size() / 20;
  EXPECT_GT(other_case, few);
  EXPECT_GT(spliced, few);
  EXPECT_GT(shuffled, few / 2);
  EXPECT_GT(plain, few);
  // Lengths are drawn from 0 to max_len and a little beyond; a cut reaches 32 bytes below.
  EXPECT_LE(*lengths.rbegin(), architecture.max_len + 3);
  EXPECT_GT(lengths.size(), architecture.max_len / 2);
}

TEST(CorpusDistortions, AreTheSameForTheSameSeedAndOthersForAnother) {
  const Architecture architecture = two_layer_original(1).architecture;
  const auto first = mixtures(architecture, with_corpus(100, 4));
  EXPECT_EQ(first, mixtures(architecture, with_corpus(100, 4)));
  EXPECT_NE(first, mixtures(architecture, with_corpus(100, 5)));
}

TEST(CorpusDistortions, CutNoInputBelowWhatTheModelTakes) {
  Architecture architecture = two_layer_original(1).architecture;
  architecture.pad_token.reset();
  for (ConvLayer& layer : architecture.conv_layers) layer.pad_left = layer.pad_right = 0;
  const auto found = mixtures(architecture, with_corpus(800));
  ASSERT_GT(found.size(), 100U);
  std::size_t shortest = architecture.max_len;
  for (const std::string& text : found) shortest = std::min(shortest, text.size());
  EXPECT_EQ(shortest, shortest_input(architecture)) << "cut to the shortest, never below";
}

TEST(CorpusDistortions, LeaveTheCorpusItselfAsItIs) {
  const VerifyOptions options = with_corpus(100);
  const auto inputs = verification_inputs(fold(two_layer_original(1)), options);
  EXPECT_EQ(inputs.back().bytes, options.corpus.front().bytes);
}

TEST(CorpusDistortions, TakeAnEmptyLineForASpace) {
  VerifyOptions options = with_corpus(200);
  options.corpus = {{"empty", Bytes{}}};
  for (const std::string& text : mixtures(two_layer_original(1).architecture, options)) {
    const auto others = std::count_if(text.begin(), text.end(), [](char c) { return c != ' '; });
    EXPECT_LE(others, 32) << "noise alone";
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing
