// The search's own arithmetic against libtorch's operators and against the runtime's reference.

#include "original_columns.hpp"

#include <span>
#include <string>

#include <gtest/gtest.h>

#include "random_original.hpp"
#include "torch_for_tests.hpp"

namespace bytecnn::exporter::testing {
namespace {

TEST(OriginalColumns, ComputeWhatLibtorchComputes) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Original original = random_original(seed);
    const auto runner = torch_for_tests().rebuild(original);
    for (const std::string text : {"", "a", "Hello", "The quick brown fox jumps over the lazy dog, and over again."}) {
      if (!long_enough(original.architecture, text.size())) continue;
      const auto input = std::as_bytes(std::span(text));
      const auto expected = runner->logits(input);
      const auto logits = original_logits(original, original.architecture, input);
      ASSERT_EQ(logits.size(), expected.size());
      for (std::size_t i = 0; i < logits.size(); ++i) {
        EXPECT_NEAR(logits[i], expected[i], 1e-11) << describe(original.architecture) << " '" << text << "'";
      }
    }
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing
