/// Every float that the fast way of writing scores takes is compared with the standard library.

#include "score_text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

#include <gtest/gtest.h>

namespace bytecnn::cli {
namespace {

bool agrees(float value) {
  std::array<char, longest_float_text> ours{};
  std::array<char, longest_float_text> theirs{};
  const std::string_view written(ours.data(), static_cast<std::size_t>(write_float(ours.data(), value) - ours.data()));
  const char* const end = std::to_chars(theirs.data(), theirs.data() + theirs.size(), value).ptr;
  const std::string_view expected(theirs.data(), static_cast<std::size_t>(end - theirs.data()));
  EXPECT_EQ(written, expected);
  return written == expected;
}

TEST(ScoreText, every_float_from_a_hundredth_to_one_is_written_as_the_standard_library_does) {
  const auto last = std::bit_cast<std::uint32_t>(1.01F);
  for (auto bits = std::bit_cast<std::uint32_t>(0.0077F); bits <= last; ++bits) {
    if (!agrees(std::bit_cast<float>(bits))) break;
  }
}

TEST(ScoreText, so_are_all_kinds_of_floats_elsewhere) {
  for (std::uint64_t bits = 0; bits <= std::numeric_limits<std::uint32_t>::max(); bits += 65'537) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isnan(value) && !agrees(value)) break;
  }
  for (const float value : {0.0F, -0.0F, 0.5F, -0.5F, 1.0F, 1e-45F, std::numeric_limits<float>::max()}) agrees(value);
}

}  // namespace
}  // namespace bytecnn::cli
