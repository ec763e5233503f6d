// The engine against the double-precision reference, on every instruction set of this machine.

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;

constexpr double tolerance = 1e-5;  // of S, on logits

class EngineTest : public ::testing::TestWithParam<Isa> {};

INSTANTIATE_TEST_SUITE_P(EveryIsa, EngineTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(EngineTest, EqualsTheReferenceOnRandomModelsOfEveryKind) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Classifier classifier(testing::with_random_weights(architecture, seed), GetParam());
    for (const std::size_t length : testing::telling_lengths(architecture)) {
      const Bytes input = testing::random_bytes(length, seed + static_cast<std::uint32_t>(length));
      ASSERT_LE(testing::logit_error(classifier, input), tolerance)
          << "seed " << seed << ", length " << length << ": " << testing::describe(architecture);
    }
  }
}

}  // namespace
}  // namespace bytecnn
