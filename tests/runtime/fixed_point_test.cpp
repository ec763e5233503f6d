// Fixed point: int32 gives the same bits on every instruction set, both keep the error they state, no sum overflows.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;
using Kind = Activation::Kind;

Architecture one_layer(std::uint32_t filters, std::uint32_t kernel_size, std::uint32_t max_len = 80) {
  Architecture a;
  a.embed_dim = 6;
  ConvLayer layer;
  layer.filters = filters;
  layer.kernel_size = kernel_size;
  layer.pad_left = layer.reach() / 2;
  layer.pad_right = layer.reach() - layer.pad_left;
  layer.activation = {Kind::relu};
  a.conv_layers = {layer};
  a.dense_layers = {{24, {Kind::relu}}};
  a.outputs = 2;
  a.output = Output::softmax;
  a.max_len = max_len;
  return a;
}

std::vector<Isa> kernel_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : supported_isas()) {
    if (isa != Isa::reference) isas.push_back(isa);
  }
  return isas;
}

std::vector<Bytes> telling_inputs(std::uint32_t max_len) {
  std::vector<Bytes> inputs;
  for (std::uint32_t length = 0; length <= max_len + 1; length += length < 20 || length + 6 > max_len ? 1 : 7) {
    inputs.push_back(testing::random_bytes(length, length));
    inputs.push_back(Bytes(length, static_cast<std::byte>(3 * length)));
  }
  return inputs;
}

std::vector<float> logits_and_scores(const Classifier& classifier, const Bytes& input) {
  std::vector<float> values(2 * classifier.outputs());
  const std::span<float> all(values);
  classifier.classify(std::span<const std::byte>(input), all.first(classifier.outputs()),
                      all.last(classifier.outputs()));
  return values;
}

void expect_same_bits(const Architecture& architecture) {
  const Model model = testing::with_random_weights(architecture, 5);
  std::optional<Classifier> first;
  for (const Isa isa : kernel_isas()) {
    const Classifier classifier(model, ClassifierOptions{isa, Arithmetic::int32});
    ASSERT_EQ(classifier.arithmetic(), Arithmetic::int32);
    if (!first) first = classifier;
    for (const Bytes& input : telling_inputs(architecture.max_len)) {
      ASSERT_EQ(logits_and_scores(classifier, input), logits_and_scores(*first, input))
          << to_string(isa) << ", " << input.size() << " bytes: " << testing::describe(architecture);
      ASSERT_LE(testing::logit_error(classifier, input), 1e-5) << to_string(isa) << testing::describe(architecture);
    }
  }
}

TEST(FixedPointTest, Int32GivesTheSameBitsOnEveryInstructionSetWithinTheFloatsTolerance) {
  for (const std::uint32_t kernel_size : {1U, 2U, 3U, 5U, 8U}) {
    for (const std::uint32_t filters : {1U, 4U, 7U, 8U, 20U, 24U, 40U, 41U, 100U}) {
      expect_same_bits(one_layer(filters, kernel_size));
    }
  }
}

TEST(FixedPointTest, Int32OfEveryPoolingPaddingAndStride) {
  for (const Pooling pooling : {Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max}) {
    Architecture a = one_layer(20, 3, 150);
    a.pooling = pooling;
    expect_same_bits(a);
    a.conv_layers[0].stride = 3;
    a.conv_layers[0].dilation = 2;
    expect_same_bits(a);
    a.vocab_size = 257;
    a.pad_token = 256;
    a.dense_layers = {{17, {Kind::leaky_relu, 0.1F}}, {9, {Kind::gelu}}};
    a.outputs = 1;
    a.output = Output::sigmoid;
    expect_same_bits(a);
    a.pad_token.reset();
    a.conv_layers[0].pad_left = 3;
    a.conv_layers[0].pad_right = 3;
    expect_same_bits(a);
  }
}

struct Difference {
  double largest = 0;  ///< of a logit from the reference's
  double scale = 1;    ///< S
};

Difference difference_of(const Classifier& classifier, const Bytes& input) {
  std::vector<float> logits(classifier.outputs());
  classifier.classify(std::span<const std::byte>(input), logits);
  const std::vector<double> expected = reference_logits(classifier.model(), input);
  Difference difference;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    difference.largest = std::max(difference.largest, std::abs(static_cast<double>(logits[i]) - expected[i]));
    difference.scale = std::max(difference.scale, std::abs(expected[i]));
  }
  return difference;
}

/// From random bytes, one change after the other that drives a logit further off: of one byte, or of all of one value,
/// since what one window loses all equal windows lose.
Bytes searched_input(const Classifier& classifier, std::size_t length, std::uint32_t seed) {
  Bytes best = testing::random_bytes(length, seed);
  const Bytes draws = testing::random_bytes(400, seed + 1000);
  double worst = difference_of(classifier, best).largest;
  for (std::size_t i = 0; i + 1 < draws.size(); i += 2) {
    Bytes other = best;
    const std::size_t place = static_cast<std::size_t>(draws[i]) % length;
    if (i % 4 == 0) {
      std::replace(other.begin(), other.end(), best[place], draws[i + 1]);
    } else {
      other[place] = draws[i + 1];
    }
    const double found = difference_of(classifier, other).largest;
    if (found <= worst) continue;
    worst = found;
    best = std::move(other);
  }
  return best;
}

TEST(FixedPointTest, NoSearchedInputExceedsTheErrorBoundAndSomeComeWithinATwentieth) {
  double nearest = 0;
  for (const Arithmetic arithmetic : {Arithmetic::int32, Arithmetic::int16}) {
    for (const Kind activation : {Kind::relu, Kind::gelu, Kind::sigmoid, Kind::none}) {
      for (const std::uint32_t filters : {1U, 7U, 40U}) {
        Architecture a = one_layer(filters, 3, 40);
        a.dense_layers = {{24, {activation}}, {9, {Kind::leaky_relu, 0.1F}}};
        const Classifier classifier(testing::with_random_weights(a, 5),
                                    ClassifierOptions{kernel_isas().front(), arithmetic});
        const double bound = classifier.arithmetic_error_bound().value();
        ASSERT_GT(bound, 0);
        std::vector<Bytes> inputs = telling_inputs(a.max_len);
        for (std::uint32_t seed = 0; seed < 3; ++seed) inputs.push_back(searched_input(classifier, a.max_len, seed));
        for (const Bytes& input : inputs) {
          const Difference difference = difference_of(classifier, input);
          ASSERT_LE(difference.largest, bound + 1e-5 * difference.scale)
              << to_string(arithmetic) << ", " << input.size() << " bytes: " << testing::describe(a);
          if (arithmetic == Arithmetic::int16) nearest = std::max(nearest, difference.largest / bound);
        }
      }
    }
  }
  EXPECT_GT(nearest, 0.05) << "a bound far above all that is seen says little";
  EXPECT_FALSE(Classifier(testing::with_random_weights(one_layer(4, 3), 1)).arithmetic_error_bound());
}

TEST(FixedPointTest, Int16KeepsWithinSeveralTimesItsMeasuredError) {
  for (const Isa isa : kernel_isas()) {
    for (const std::uint32_t kernel_size : {1U, 3U, 5U}) {
      for (const std::uint32_t filters : {1U, 7U, 16U, 20U, 40U, 41U, 100U}) {
        const Architecture a = one_layer(filters, kernel_size);
        const Classifier classifier(testing::with_random_weights(a, 5), ClassifierOptions{isa, Arithmetic::int16});
        const double stated = classifier.arithmetic_error().value();
        ASSERT_GT(stated, 0);
        ASSERT_LT(stated, 5e-3);
        for (const Bytes& input : telling_inputs(a.max_len)) {
          ASSERT_LE(testing::logit_error(classifier, input), 8 * stated + 1e-4)
              << to_string(isa) << ", " << input.size() << " bytes: " << testing::describe(a);
        }
      }
    }
  }
}

/// Filters that one byte drives to the largest sum there is, 0.1 and 1000 in one table, on texts of that byte alone.
TEST(FixedPointTest, NoSumOverflowsOnTheTextThatDrivesEveryFilterHighest) {
  Architecture a = one_layer(6, 3, 4000);
  Model model = testing::with_random_weights(a, 2);
  for (std::size_t f = 0; f < 6; ++f) {
    const float size = f % 2 == 0 ? 0.1F : 1000.0F;
    for (std::size_t i = 0; i < 6 * 3; ++i) model.weights.conv[0].weight[f * 18 + i] = f == 5 ? -size : size;
    model.weights.conv[0].bias[f] = size;
  }
  for (std::size_t token = 0; token < 256; ++token) {
    for (std::size_t d = 0; d < 6; ++d) model.weights.embedding[token * 6 + d] = token == 'x' ? 1.0F : 0.01F;
  }
  for (const Arithmetic arithmetic : {Arithmetic::int32, Arithmetic::int16}) {
    for (const Isa isa : kernel_isas()) {
      const Classifier classifier(model, ClassifierOptions{isa, arithmetic});
      for (const std::size_t length : {1U, 63U, 64U, 65U, 1000U, 3999U, 4000U}) {
        ASSERT_LE(testing::logit_error(classifier, Bytes(length, static_cast<std::byte>('x'))),
                  arithmetic == Arithmetic::int32 ? 1e-5 : 2e-3)
            << to_string(arithmetic) << ' ' << to_string(isa) << ' ' << length;
      }
    }
  }
}

TEST(FixedPointTest, ModelsThatItDoesNotCoverAreRefusedByName) {
  const auto code_of = [](Architecture a, Isa isa) {
    try {
      const Classifier classifier(testing::with_random_weights(a, 1), ClassifierOptions{isa, Arithmetic::int32});
    } catch (const Error& error) {
      EXPECT_FALSE(std::string(error.what()).empty());
      return error.code();
    }
    return ErrorCode::io;
  };
  const Isa isa = kernel_isas().front();
  Architecture two = one_layer(8, 3);
  two.conv_layers.push_back(two.conv_layers[0]);
  EXPECT_EQ(code_of(two, isa), ErrorCode::unsupported);
  Architecture gelu = one_layer(8, 3);
  gelu.conv_layers[0].activation = {Kind::gelu};
  EXPECT_EQ(code_of(gelu, isa), ErrorCode::unsupported);
  Architecture deviations = one_layer(8, 3);
  deviations.pooling = Pooling::concat_avg_max_std;
  EXPECT_EQ(code_of(deviations, isa), ErrorCode::unsupported);
  EXPECT_EQ(code_of(one_layer(8, 3), Isa::reference), ErrorCode::unsupported);
  EXPECT_EQ(parse_arithmetic("int16"), Arithmetic::int16);
  EXPECT_THROW((void)parse_arithmetic("int8"), Error);
}

}  // namespace
}  // namespace bytecnn
