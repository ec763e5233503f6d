// Batch norm's arithmetic, against numbers computed by hand.

#include "bytecnn/batch_norm.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "error_check.hpp"

namespace bytecnn {
namespace {

using testing::error_of;

TEST(BatchNormTest, ScaleAndShiftByHand) {
  // Channel 0: 3 / sqrt(3 + 1) = 1.5, 1 - 2 * 1.5 = -2. Channel 1: -1 / sqrt(15 + 1) = -0.25, 0.5 + 8 * 0.25 = 2.5.
  const ScaleShift result = scale_and_shift({{3, -1}, {1, 0.5}, {2, 8}, {3, 15}, 1.0});
  EXPECT_EQ(result.scale, (std::vector<double>{1.5, -0.25}));
  EXPECT_EQ(result.shift, (std::vector<double>{-2, 2.5}));
}

TEST(BatchNormTest, EpsIsAddedToTheVarianceUnderTheRoot) {
  const ScaleShift result = scale_and_shift({{1}, {0}, {0}, {0}, 1e-5});
  EXPECT_DOUBLE_EQ(result.scale[0], 1 / std::sqrt(1e-5));
}

TEST(BatchNormTest, FoldingByHand) {
  // Two filters of two weights each; W' = W scale, b' = b scale + shift.
  std::vector<double> weight = {1, 2, 3, 4};
  std::vector<double> bias = {10, 20};
  fold_batch_norm({{2, -1}, {0.5, 100}}, weight, bias);
  EXPECT_EQ(weight, (std::vector<double>{2, 4, -3, -4}));
  EXPECT_EQ(bias, (std::vector<double>{20.5, 80}));
}

TEST(BatchNormTest, ABiasFreeConvolutionGetsTheShiftAsItsBias) {
  std::vector<double> weight = {1, 2};
  std::vector<double> bias;
  fold_batch_norm({{2, 4}, {-3, 5}}, weight, bias);
  EXPECT_EQ(bias, (std::vector<double>{-3, 5}));
}

TEST(BatchNormTest, FoldedEqualsNormalised) {
  // One filter of three weights on one window, as torch.nn.BatchNorm1d would do it.
  const std::vector<double> x = {0.3, -1.7, 2.2};
  std::vector<double> weight = {0.25, -0.5, 1.5};
  std::vector<double> bias = {0.125};
  const BatchNormStatistics bn{{0.7}, {-0.2}, {3.1}, {0.04}, 1e-3};
  const double conv = weight[0] * x[0] + weight[1] * x[1] + weight[2] * x[2] + bias[0];
  const double normalised = (conv - bn.mean[0]) / std::sqrt(bn.variance[0] + bn.eps) * bn.gamma[0] + bn.beta[0];
  fold_batch_norm(scale_and_shift(bn), weight, bias);
  EXPECT_NEAR(weight[0] * x[0] + weight[1] * x[1] + weight[2] * x[2] + bias[0], normalised, 1e-13);
}

TEST(BatchNormTest, RefusesANegativeOrMissingVarianceAndSaysWhichChannel) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double variance : {-1e-9, nan}) {
    const Error error = error_of([&] { return scale_and_shift({{1, 1}, {0, 0}, {0, 0}, {1, variance}, 1e-5}); });
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.where(), "channel 1");
  }
}

TEST(BatchNormTest, RefusesWhatIsNotFinite) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(error_of([] { return scale_and_shift({{1}, {0}, {0}, {0}, 0.0}); }).where(), "channel 0");
  EXPECT_EQ(error_of([&] { return scale_and_shift({{1}, {0}, {infinity}, {1}, 0.0}); }).where(), "channel 0");
  for (const double eps : {-1e-5, infinity, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(error_of([&] { return scale_and_shift({{1}, {0}, {0}, {1}, eps}); }).code(), ErrorCode::invalid) << eps;
  }
}

TEST(BatchNormTest, RefusesVectorsOfDifferentLength) {
  EXPECT_EQ(error_of([] { return scale_and_shift({{1}, {0, 0}, {0, 0}, {1, 1}, 1e-5}); }).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of([] { return scale_and_shift({{1, 1}, {0, 0}, {0}, {1, 1}, 1e-5}); }).code(), ErrorCode::invalid);
}

}  // namespace
}  // namespace bytecnn
