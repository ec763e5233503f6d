// Models that are valid but too large to plan: refused when the classifier is made, with nothing allocated for them.

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "random_model.hpp"

namespace bytecnn {
namespace {

TEST(PlanLimitsTest, WorkingMemoryBeyondWhatThePlansOffsetsHoldIsALimitError) {
  // Some 90 000 weights, but the second layer's windows reach over 59 million columns of 80 channels: 19 GB.
  ConvLayer first;
  first.filters = 80;
  first.kernel_size = 1;
  ConvLayer second = first;
  second.groups = 80;
  second.kernel_size = 900;
  second.dilation = 65536;
  Architecture a;
  a.embed_dim = 1;
  a.conv_layers = {first, second};
  a.outputs = 1;
  a.max_len = ModelLimits::max_len;
  a.pad_token.reset();
  const Model model = testing::with_random_weights(a, 1);
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference) continue;
    const Error error = testing::error_of([&] { return Classifier(model, isa); });
    EXPECT_EQ(error.code(), ErrorCode::limit) << to_string(isa) << ": " << testing::describe(error);
  }
}

}  // namespace
}  // namespace bytecnn
