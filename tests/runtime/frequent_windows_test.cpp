// Which windows are frequent, as the first layer sees them.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

constexpr std::uint32_t outside = 256;  // the vocabulary's size

using Window = std::vector<std::uint32_t>;

/// Windows of `kernel_size` bytes, padded as `same` does.
Architecture architecture_of(std::uint32_t kernel_size) {
  Architecture a = testing::small_model().architecture;
  ConvLayer& layer = a.conv_layers[0];
  layer.kernel_size = kernel_size;
  layer.pad_left = layer.reach() / 2;
  layer.pad_right = layer.reach() - layer.pad_left;
  return a;
}

std::vector<Window> windows_of(const FrequentWindowCounter& counter, std::size_t most, std::size_t length) {
  const FrequentWindows windows = counter.most_frequent(most);
  std::vector<Window> result;
  for (std::size_t i = 0; i < windows.tokens.size(); i += length) {
    result.emplace_back(windows.tokens.begin() + static_cast<std::ptrdiff_t>(i),
                        windows.tokens.begin() + static_cast<std::ptrdiff_t>(i + length));
  }
  return result;
}

void count(FrequentWindowCounter& counter, std::string_view text) {
  counter.count(std::as_bytes(std::span(text)));
}

TEST(FrequentWindowsTest, TheMostFrequentStandFirstAndEquallyFrequentOnesInAFixedOrder) {
  FrequentWindowCounter counter(architecture_of(1));
  count(counter, "cabacab");
  EXPECT_EQ(counter.counted(), 7U);
  EXPECT_EQ(windows_of(counter, 9, 1), (std::vector<Window>{{'a'}, {'b'}, {'c'}}));
  EXPECT_EQ(windows_of(counter, 1, 1), (std::vector<Window>{{'a'}}));
  EXPECT_TRUE(windows_of(counter, 0, 1).empty());
  EXPECT_EQ(counter.covered(0), 0U);
  EXPECT_EQ(counter.covered(1), 3U);
  EXPECT_EQ(counter.covered(2), 5U);
  EXPECT_EQ(counter.covered(100), 7U);
}

TEST(FrequentWindowsTest, EndsOfATextAreCountedAndPaddingAloneIsNot) {
  FrequentWindowCounter padded(architecture_of(3));  // max_len 8
  count(padded, "ab");
  EXPECT_EQ(windows_of(padded, 9, 3), (std::vector<Window>{{'b', 0, 0}, {'a', 'b', 0}, {outside, 'a', 'b'}}));
  EXPECT_EQ(padded.counted(), 3U);
  EXPECT_EQ(padded.covered(3), 3U);

  FrequentWindowCounter full(architecture_of(3));
  count(full, "abcdefghijk");  // cut to eight bytes
  EXPECT_EQ(full.counted(), 8U);
  std::map<Window, int> seen;
  for (const Window& window : windows_of(full, 9, 3)) ++seen[window];
  EXPECT_EQ(seen.size(), 8U);
  EXPECT_EQ(seen.count({'g', 'h', outside}), 1U);
  EXPECT_EQ(seen.count({outside, 'a', 'b'}), 1U);

  Architecture a = architecture_of(3);
  a.pad_token.reset();
  FrequentWindowCounter unpadded(a);
  count(unpadded, "ab");
  seen.clear();
  for (const Window& window : windows_of(unpadded, 9, 3)) ++seen[window];
  EXPECT_EQ(seen, (std::map<Window, int>{{{outside, 'a', 'b'}, 1}, {{'a', 'b', outside}, 1}}));
  count(unpadded, "");
  EXPECT_EQ(unpadded.counted(), 2U);
}

TEST(FrequentWindowsTest, MoreDifferentWindowsThanItBeganWithRoomFor) {
  Architecture a = architecture_of(3);
  a.max_len = 400'000;
  const testing::Bytes noise = testing::random_bytes(300'000, 1);
  FrequentWindowCounter counter(a);
  counter.count(noise);
  std::map<Window, std::uint64_t> expected;
  for (std::size_t i = 0; i + 2 < noise.size(); ++i) {
    ++expected[{std::to_integer<std::uint32_t>(noise[i]), std::to_integer<std::uint32_t>(noise[i + 1]),
                std::to_integer<std::uint32_t>(noise[i + 2])}];
  }
  ++expected[{outside, std::to_integer<std::uint32_t>(noise[0]), std::to_integer<std::uint32_t>(noise[1])}];
  ++expected[{std::to_integer<std::uint32_t>(noise[noise.size() - 2]), std::to_integer<std::uint32_t>(noise.back()),
              0}];
  ++expected[{std::to_integer<std::uint32_t>(noise.back()), 0, 0}];
  const auto windows = windows_of(counter, noise.size() * 2, 3);
  ASSERT_EQ(windows.size(), expected.size());
  std::uint64_t before = noise.size();
  for (const Window& window : windows) {
    const auto found = expected.find(window);
    ASSERT_NE(found, expected.end());
    ASSERT_LE(found->second, before) << "the most frequent ones first";
    before = found->second;
    expected.erase(found);  // none twice
  }
}

TEST(FrequentWindowsTest, ALayerWhoseWindowsNoBatchLooksUpIsRefused) {
  const Error kernel = testing::error_of([] { return FrequentWindowCounter(architecture_of(4)); });
  EXPECT_EQ(kernel.code(), ErrorCode::unsupported);
  EXPECT_EQ(kernel.where(), "/architecture/conv_layers/0/kernel_size");
  Architecture a = architecture_of(3);
  a.vocab_size = 511;
  EXPECT_EQ(FrequentWindowCounter(a).counted(), 0U);
  a.vocab_size = 512;
  EXPECT_EQ(testing::error_of([&] { return FrequentWindowCounter(a); }).where(), "/architecture/vocab_size");
}

}  // namespace
}  // namespace bytecnn
