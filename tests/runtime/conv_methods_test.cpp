// The ways to compute a convolution: each shape gets the one that is meant for it, and all agree with the reference.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn {
namespace {

constexpr double tolerance = 1e-5;  // of S, on logits

ConvLayer same(std::uint32_t filters, std::uint32_t kernel_size, std::uint32_t stride = 1, std::uint32_t dilation = 1,
               std::uint32_t groups = 1) {
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = kernel_size;
  layer.stride = stride;
  layer.dilation = dilation;
  layer.groups = groups;
  layer.pad_left = layer.reach() / 2;
  layer.pad_right = layer.reach() - layer.pad_left;
  layer.activation.kind = Activation::Kind::relu;
  return layer;
}

Architecture network(std::vector<ConvLayer> layers, std::uint32_t max_len = 200) {
  Architecture a;
  a.embed_dim = 8;
  a.conv_layers = std::move(layers);
  a.dense_layers = {{16, {Activation::Kind::relu}}};
  a.outputs = 2;
  a.output = Output::softmax;
  a.max_len = max_len;
  return a;
}

/// Leaves NaN in every float of the stack below the caller's frame, where the next classification works.
[[gnu::noinline]] void fill_stack_with_nan() {
  std::array<unsigned char, 600000> bytes;
  bytes.fill(0xFF);
  asm volatile("" ::"r"(bytes.data()) : "memory");
}

class ConvMethodsTest : public ::testing::TestWithParam<Isa> {
 protected:
  static void expect_equal(const Architecture& architecture,
                           std::initializer_list<std::size_t> lengths = {0, 1, 7, 40, 101, 197, 198, 199, 200, 201}) {
    const Classifier classifier(testing::with_random_weights(architecture, 11), GetParam());
    for (const std::size_t length : lengths) {
      ASSERT_LE(testing::logit_error(classifier, testing::random_bytes(length, static_cast<std::uint32_t>(length))),
                tolerance)
          << length << " bytes: " << testing::describe(architecture);
    }
  }

  static std::string plan_of(const Architecture& architecture) {
    return Classifier(testing::with_random_weights(architecture, 11), GetParam()).plan_description();
  }

  static bool has_plan() { return GetParam() != Isa::reference; }
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, ConvMethodsTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(ConvMethodsTest, EveryWidthKernelStrideAndDilation) {
  for (const std::uint32_t channels : {1U, 5U, 8U, 16U, 24U, 28U, 33U, 40U, 64U, 80U, 96U, 130U}) {
    for (const std::uint32_t kernel : {1U, 2U, 3U, 4U, 5U, 7U}) {
      expect_equal(network({same(channels, 3), same(channels, kernel)}));
    }
    for (const std::uint32_t kernel : {1U, 3U, 5U}) {
      expect_equal(network({same(channels, 3), same(channels, kernel, 2)}));
      expect_equal(network({same(channels, 3), same(channels, kernel, 3, 2)}));
      expect_equal(network({same(channels, 3), same(channels, kernel, 1, 2)}));
      expect_equal(network({same(channels, 3), same(channels, kernel, 1, 3)}));
    }
  }
}

// A NaN that nobody wrote stays one when it meets a weight of zero.
TEST_P(ConvMethodsTest, GroupsThatDoNotFillTheirVectorsReadNothingUnwritten) {
  for (const Activation::Kind kind : {Activation::Kind::relu, Activation::Kind::gelu}) {
    for (const std::uint32_t filters : {6U, 10U, 18U, 34U}) {
      Architecture architecture = network({same(8, 3), same(filters, 3, 1, 1, 2), same(filters, 3, 1, 1, 2)}, 40);
      for (ConvLayer& layer : architecture.conv_layers) layer.activation.kind = kind;
      const Classifier classifier(testing::with_random_weights(architecture, 11), GetParam());
      for (const std::size_t length : {0U, 1U, 10U, 37U, 40U}) {
        const testing::Bytes input = testing::random_bytes(length, 3);
        std::array<float, 2> logits{};
        fill_stack_with_nan();
        classifier.classify(input, logits);
        ASSERT_LE(testing::logit_error(classifier.model(), input, logits), tolerance)
            << length << " bytes, " << filters << " filters";
      }
    }
  }
}

TEST_P(ConvMethodsTest, NarrowIntoWideAndWideIntoNarrow) {
  for (const std::uint32_t kernel : {3U, 5U}) {
    expect_equal(network({same(4, 3), same(100, kernel), same(3, kernel), same(50, kernel)}));
    expect_equal(network({same(28, 3), same(28, kernel), same(24, 3)}));
    expect_equal(network({same(60, kernel), same(20, kernel), same(20, kernel), same(60, 1)}));
  }
}

TEST_P(ConvMethodsTest, GroupsInPairsOfColumns) {
  for (const std::uint32_t group_filters : {3U, 8U, 12U, 24U}) {
    for (const std::uint32_t groups : {2U, 5U}) {
      const std::uint32_t filters = groups * group_filters;
      expect_equal(network({same(filters, 3), same(filters, 3, 1, 1, groups), same(10, 3)}));
      expect_equal(network({same(filters, 3), same(filters, 5, 2, 1, groups)}));
    }
  }
}

// Columns of the first layer that lie in the padding of the second are zero, whatever the table holds.
TEST_P(ConvMethodsTest, TilesOutOfATableBetweenPaddingsOfAnyWidth) {
  for (const bool padded : {true, false}) {
    for (const std::uint32_t table_pad : {0U, 1U, 4U}) {
      for (const std::uint32_t left : {0U, 1U, 6U}) {
        for (const std::uint32_t right : {0U, 2U, 9U}) {
          Architecture a = network({same(28, 3), same(24, 3)}, 75);
          if (!padded) a.pad_token.reset();
          a.conv_layers[0].pad_left = table_pad;
          a.conv_layers[0].pad_right = 4 - table_pad;
          a.conv_layers[1].pad_left = left;
          a.conv_layers[1].pad_right = right;
          const Classifier classifier(testing::with_random_weights(a, 11), GetParam());
          for (const std::size_t length : {5U, 6U, 7U, 8U, 40U, 73U, 74U, 75U}) {
            ASSERT_LE(testing::logit_error(classifier, testing::random_bytes(length, 5)), tolerance)
                << length << " bytes: " << testing::describe(a);
          }
        }
      }
    }
  }
}

// Groups side by side in the lanes: as many a vector as fit, broken by its end, with more or fewer inputs than filters,
// columns apart, and blocks that are longer than the text.
TEST_P(ConvMethodsTest, GroupsNarrowerThanAVector) {
  for (const auto& [groups, group_inputs, group_filters] : {std::array{4U, 4U, 4U},
                                                            {4U, 6U, 6U},
                                                            {4U, 7U, 7U},
                                                            {4U, 10U, 10U},
                                                            {3U, 11U, 11U},
                                                            {5U, 3U, 1U},
                                                            {7U, 1U, 3U},
                                                            {4U, 20U, 20U},
                                                            {2U, 9U, 21U},
                                                            {3U, 17U, 5U}}) {
    const std::uint32_t filters = groups * group_filters;
    for (const std::uint32_t kernel : {1U, 2U, 3U, 7U}) {
      for (const auto& [stride, dilation] : {std::array{1U, 1U}, {1U, 2U}, {2U, 1U}, {2U, 4U}, {3U, 2U}, {1U, 9U}}) {
        expect_equal(network({same(groups * group_inputs, 2), same(filters, kernel, stride, dilation, groups)}, 60),
                     {0, 1, 10, 59, 60});
      }
    }
  }
}

TEST_P(ConvMethodsTest, DepthwiseWithEveryKernelStrideAndDilation) {
  for (const std::uint32_t channels : {3U, 16U, 21U, 40U}) {
    for (const std::uint32_t kernel : {1U, 2U, 3U, 4U, 5U, 9U}) {
      for (const auto& [stride, dilation] : {std::array{1U, 1U}, {1U, 3U}, {2U, 1U}, {2U, 2U}, {3U, 2U}, {1U, 5U}}) {
        expect_equal(network({same(channels, 2), same(channels, kernel, stride, dilation, channels), same(5, 1)}, 90),
                     {0, 1, 40, 88, 90});
      }
    }
  }
}

// Their blocks may overlap or be larger than what is wanted: a text's bits do not depend on it.
TEST_P(ConvMethodsTest, LanewiseBlocksOfAnyNumberOfColumnsHaveTheSameBits) {
  for (const std::uint32_t groups : {4U, 20U}) {
    Architecture a = network({same(20, 3), same(20, 3, 1, 2, groups), same(20, 5, 1, 1, groups)}, 400);
    a.pooling = Pooling::max;
    a.pad_token.reset();
    const Classifier classifier(testing::with_random_weights(a, 11), GetParam());
    // Every text repeats one byte but for its borders: whatever the length, the same columns.
    std::vector<float> first;
    for (std::size_t length = 14; length <= 400; ++length) {
      std::vector<float> logits(2);
      classifier.classify(testing::Bytes(length, std::byte{'a'}), logits);
      if (first.empty()) first = logits;
      ASSERT_EQ(first, logits) << length << " bytes, " << groups << " groups";
    }
  }
}

TEST_P(ConvMethodsTest, AnyPoolingBehindWholeAndBrokenTiles) {
  for (const Pooling pooling :
       {Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
    for (const std::uint32_t max_len : {197U, 198U, 199U, 200U}) {
      Architecture a = network({same(28, 3), same(24, 3)}, max_len);
      a.pooling = pooling;
      expect_equal(a);
      a.pad_token.reset();
      const Classifier classifier(testing::with_random_weights(a, 11), GetParam());
      for (std::size_t length = 3; length < 20; ++length) {
        ASSERT_LE(testing::logit_error(classifier, testing::random_bytes(length, 5)), tolerance) << length;
      }
    }
  }
}

TEST_P(ConvMethodsTest, ShapesGetTheMethodMeantForThem) {
  if (!has_plan()) GTEST_SKIP() << "the reference has no plan";
  EXPECT_NE(plan_of(network({same(28, 3), same(24, 3)})).find("conv 2: Winograd F(4,3)"), std::string::npos);
  EXPECT_NE(plan_of(network({same(64, 3), same(96, 5)})).find("conv 2: Winograd F(4,5)"), std::string::npos);
  EXPECT_NE(plan_of(network({same(64, 3), same(64, 3, 2)})).find("conv 2: direct"), std::string::npos);
  EXPECT_NE(plan_of(network({same(64, 3), same(64, 3, 1, 1, 64)})).find("conv 2: depthwise"), std::string::npos);
  if (GetParam() == Isa::avx512 || GetParam() == Isa::avx2) {
    EXPECT_NE(plan_of(network({same(24, 3), same(24, 3, 1, 1, 4)})).find("4 groups side by side"), std::string::npos);
  }
  if (GetParam() == Isa::avx512) {
    EXPECT_NE(plan_of(network({same(16, 3), same(16, 3, 1, 2)})).find("inputs shared by taps"), std::string::npos);
    EXPECT_NE(plan_of(network({same(28, 3), same(24, 3, 1, 2)})).find("two columns a tile"), std::string::npos);
  }
}

TEST_P(ConvMethodsTest, APlanGoesBackWhereItsRoundingErrorWouldBeTooLarge) {
  if (!has_plan()) GTEST_SKIP() << "the reference has no plan";
  // The second layer's filters see pairs of equal channels with weights that all but cancel, so that its sums are small
  // beside their terms.
  Model model = testing::with_random_weights(network({same(32, 3), same(32, 3)}), 3);
  ConvWeights& first = model.weights.conv[0];
  ConvWeights& second = model.weights.conv[1];
  const std::size_t window = std::size_t{model.architecture.embed_dim} * 3;
  for (std::size_t f = 0; f < 32; f += 2) {
    for (std::size_t i = 0; i < window; ++i) first.weight[(f + 1) * window + i] = first.weight[f * window + i];
    first.bias[f + 1] = first.bias[f];
    for (std::size_t filter = 0; filter < 32; ++filter) {
      for (std::size_t k = 0; k < 3; ++k) {
        const float weight = second.weight[(filter * 32 + f) * 3 + k];
        second.weight[(filter * 32 + f) * 3 + k] = 200 * weight;
        second.weight[(filter * 32 + f + 1) * 3 + k] = -199 * weight;
      }
    }
  }
  const Classifier classifier(model, GetParam());
  EXPECT_NE(classifier.plan_description().find("conv 2: not by Winograd F(4,3)"), std::string::npos)
      << classifier.plan_description();
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    ASSERT_LE(testing::logit_error(classifier, testing::random_bytes(50 + seed, seed)), tolerance);
  }
}

}  // namespace
}  // namespace bytecnn
