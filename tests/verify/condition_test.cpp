// A model that float32 cannot serve is told from a wrong export.

#include "verify/condition.hpp"

#include <gtest/gtest.h>

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "verify/condition_text.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

VerifyReport verified(const Original& original, const Model& model) {
  VerifyOptions options;
  options.samples = 8;
  options.work_limit = 2'000'000;
  return verify(original, *torch_for_tests().rebuild(original), model, options);
}

/// Batch norm takes 1e5 off sums of that size: in the bias alone, which folding takes away, or in the embedding's own
/// numbers, where the export must take the difference as well.
Original with_large_mean(bool in_embedding) {
  Original original = two_layer_original(3);
  OriginalConv& conv = original.conv[0];
  const std::size_t filters = original.architecture.conv_layers[0].filters;
  if (conv.bias.empty()) conv.bias.assign(filters, 0.0);
  // Without zeros from outside every sum is large.
  original.architecture.conv_layers[0].pad_left = original.architecture.conv_layers[0].pad_right = 0;
  const std::size_t window = conv.weight.size() / filters;
  constexpr double large = 65536;
  for (std::size_t f = 0; f < filters; ++f) {
    double moved = large;
    if (in_embedding) {
      moved = 0;
      for (std::size_t i = 0; i < window; ++i) moved += conv.weight[f * window + i] * large;
    } else {
      conv.bias[f] += large;
    }
    conv.batch_norm.mean[f] += moved;
  }
  if (in_embedding) {
    for (double& number : original.embedding) number = static_cast<double>(static_cast<float>(number + large));
  }
  return original;
}

TEST(Condition, OfAnOrdinaryModelIsGood) {
  const Original original = two_layer_original(3);
  const VerifyReport report = verified(original, fold(original));
  ASSERT_TRUE(report.conditioning);
  EXPECT_TRUE(report.passed);
  EXPECT_FALSE(report.conditioning->original.too_hard_for_float32());
  EXPECT_FALSE(report.conditioning->exported.too_hard_for_float32());
  EXPECT_GT(report.conditioning->original.value, 1);
}

TEST(Condition, OfAMeanThatFoldingTakesAwayIsTheOriginalsAlone) {
  const Original original = with_large_mean(false);
  const VerifyReport report = verified(original, fold(original));
  ASSERT_TRUE(report.conditioning);
  EXPECT_TRUE(report.passed) << to_text(report);
  EXPECT_TRUE(report.conditioning->original.too_hard_for_float32());
  EXPECT_EQ(report.conditioning->original.worst.layer, "conv1 batch norm");
  EXPECT_FALSE(report.conditioning->exported.too_hard_for_float32());
  EXPECT_GT(report.float32_error, 100 * report.stages.back().worst) << "the original's own float32 run loses it";
}

TEST(Condition, ExplainsAnEngineThatFailsWhereTheNumbersAreRightInDouble) {
  VerifyReport report = verified(two_layer_original(3), fold(two_layer_original(3)));
  ASSERT_TRUE(report.conditioning);
  report.passed = false;
  report.stages.back().passed = false;  // an engine
  EXPECT_FALSE(only_ill_conditioned(report)) << "a well-conditioned model has no such excuse";
  const Original original = with_large_mean(true);
  const VerifyReport hard = verified(original, fold(original));
  ASSERT_TRUE(hard.conditioning);
  EXPECT_TRUE(hard.conditioning->exported.too_hard_for_float32()) << to_text(hard);
}

TEST(Condition, ExcusesNoWrongExport) {
  for (const bool in_embedding : {false, true}) {
    const Original original = with_large_mean(in_embedding);
    Model model = fold(original);
    model.weights.output.weight[0] *= 1.01F;
    const VerifyReport report = verified(original, model);
    EXPECT_FALSE(report.passed);
    EXPECT_FALSE(only_ill_conditioned(report));
    EXPECT_NE(to_text(report).find("the export is wrong"), std::string::npos) << to_text(report);
  }
  const Original ordinary = two_layer_original(3);
  Model model = fold(ordinary);
  model.weights.output.weight[0] *= 1.01F;
  const VerifyReport report = verified(ordinary, model);
  EXPECT_FALSE(report.passed);
  EXPECT_FALSE(only_ill_conditioned(report));
  EXPECT_NE(to_text(report).find("well conditioned"), std::string::npos);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
