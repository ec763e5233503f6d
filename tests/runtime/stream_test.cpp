// Streams against whole classifications, and windows against the plain sum over windows in double, on every instruction
// set and over random models of every kind.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "naive_windows.hpp"
#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;
using testing::conv;
using Kind = Activation::Kind;

constexpr double tolerance = 1e-5;  // of S, on logits

double scale_of(const std::vector<double>& logits) {
  double scale = 1;
  for (const double logit : logits) scale = std::max(scale, std::abs(logit));
  return scale;
}

double worst_difference(const std::vector<float>& found, const std::vector<double>& expected) {
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double error = std::abs(static_cast<double>(found[i]) - expected[i]) / scale_of(expected);
    worst = error > worst || std::isnan(error) ? error : worst;
  }
  return worst;
}

std::span<const std::byte> part(const Bytes& input, std::size_t begin, std::size_t count) {
  return std::span(input).subspan(begin, count);
}

class StreamTest : public ::testing::TestWithParam<Isa> {
 protected:
  static Classifier classifier_of(const Architecture& architecture, std::uint32_t seed) {
    return Classifier(testing::with_random_weights(architecture, seed), GetParam());
  }

  /// Pushes pieces of these sizes in turn.
  static void push_in_pieces(Stream& stream, const Bytes& input, const std::vector<std::size_t>& sizes) {
    for (std::size_t begin = 0, i = 0; begin < input.size(); ++i) {
      const std::size_t count = std::min(sizes[i % sizes.size()], input.size() - begin);
      stream.push(part(input, begin, count));
      begin += count;
    }
  }

  static void expect_reference(const Stream& stream, const Classifier& classifier, const Bytes& input) {
    std::vector<float> logits(classifier.outputs());
    ASSERT_EQ(stream.classify(logits).status, Status::ok);
    ASSERT_LE(worst_difference(logits, reference_logits(classifier.model(), input)), tolerance)
        << input.size() << " bytes: " << testing::describe(classifier.model().architecture);
  }

  static void expect_windows(const Classifier& classifier, const Bytes& input, Strategy strategy) {
    std::vector<float> logits(classifier.outputs());
    const Result result = classify(classifier, std::span<const std::byte>(input), strategy, logits);
    ASSERT_EQ(result.status, Status::ok);
    ASSERT_LE(worst_difference(logits, testing::naive_window_logits(classifier.model(), input, strategy)), tolerance)
        << to_string(strategy) << ", " << input.size()
        << " bytes: " << testing::describe(classifier.model().architecture);
  }
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, StreamTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

Architecture architecture_of(std::vector<ConvLayer> layers, std::uint32_t max_len) {
  Architecture a;
  a.embed_dim = 12;
  a.conv_layers = std::move(layers);
  a.dense_layers = {{24, {Kind::relu}}};
  a.outputs = 3;
  a.output = Output::softmax;
  a.max_len = max_len;
  return a;
}

/// Random models have a max_len of at most 200; a longer one lets streams pool several blocks.
Architecture long_random_architecture(std::uint32_t seed) {
  Architecture a = testing::random_architecture(seed);
  a.max_len = seed % 2 == 0 ? 1000 : 777;
  return a;
}

TEST_P(StreamTest, EqualsTheReferenceOnRandomModelsHoweverItIsPushed) {
  const std::vector<std::vector<std::size_t>> ways = {{1000000}, {1}, {7}, {64, 1, 300}};
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    const Classifier classifier = classifier_of(long_random_architecture(seed), seed);
    Stream stream(classifier);
    const std::size_t max_len = classifier.model().architecture.max_len;
    for (const std::size_t length : {std::size_t{200}, max_len / 2, max_len - 1, max_len, max_len + 100}) {
      const Bytes input = testing::random_bytes(length, seed);
      stream.reset();
      push_in_pieces(stream, input, ways[(seed + length) % ways.size()]);
      EXPECT_EQ(stream.size(), length);
      expect_reference(stream, classifier, input);
    }
  }
}

TEST_P(StreamTest, TellsTheLogitsAfterEveryByte) {
  for (const bool padded : {true, false}) {
    Architecture a = architecture_of({conv(20, 3), conv(16, 5)}, 300);
    if (!padded) a.pad_token.reset();
    const Classifier classifier = classifier_of(a, 5);
    Stream stream(classifier);
    const Bytes input = testing::random_bytes(303, 9);
    for (std::size_t i = 0; i < input.size(); ++i) {
      stream.push(part(input, i, 1));
      std::vector<float> logits(3), whole(3);
      ASSERT_EQ(stream.classify(logits).status, Status::ok);
      classifier.classify(part(input, 0, i + 1), whole);
      ASSERT_LE(worst_difference(logits, {whole.begin(), whole.end()}), tolerance) << i;
      if (i % 10 == 0) expect_reference(stream, classifier, {input.begin(), input.begin() + std::ptrdiff_t(i) + 1});
    }
  }
}

TEST_P(StreamTest, ClassifyingDoesNotDisturbIt) {
  const Classifier classifier = classifier_of(architecture_of({conv(20, 3), conv(16, 3)}, 600), 1);
  for (const Strategy strategy : {Strategy::truncate, Strategy::average}) {
    Stream asked(classifier, strategy), silent(classifier, strategy);
    const Bytes input = testing::random_bytes(1500, 1);
    for (std::size_t i = 0; i < input.size(); i += 50) {
      asked.push(part(input, i, 50));
      silent.push(part(input, i, 50));
      std::vector<float> once(3), twice(3);
      asked.classify(once);
      asked.classify(twice);
      ASSERT_EQ(once, twice);
    }
    std::vector<float> a(3), b(3);
    asked.classify(a);
    silent.classify(b);
    EXPECT_EQ(a, b);
  }
}

TEST_P(StreamTest, StartsAnewAfterReset) {
  const Classifier classifier = classifier_of(architecture_of({conv(40, 3)}, 512), 2);
  for (const Strategy strategy : {Strategy::truncate, Strategy::max, Strategy::attention}) {
    Stream used(classifier, strategy);
    used.push(testing::random_bytes(2000, 3));
    used.reset();
    EXPECT_EQ(used.size(), 0U);
    Stream fresh(classifier, strategy);
    for (Stream* stream : {&used, &fresh}) stream->push(testing::random_bytes(900, 4));
    std::vector<float> a(3), b(3);
    used.classify(a);
    fresh.classify(b);
    EXPECT_EQ(a, b);
  }
}

TEST_P(StreamTest, OfNoBytesIsTheEmptyInput) {
  const Classifier classifier = classifier_of(architecture_of({conv(20, 3)}, 100), 1);
  expect_reference(Stream(classifier), classifier, {});
  expect_reference(Stream(classifier, Strategy::max), classifier, {});
}

TEST_P(StreamTest, WithoutPaddingTooFewBytesAreAStatusAndMoreAreNot) {
  Architecture a = architecture_of({conv(8, 5)}, 300);
  a.conv_layers[0].pad_left = a.conv_layers[0].pad_right = 0;
  a.pad_token.reset();
  const Classifier classifier = classifier_of(a, 1);
  for (const Strategy strategy : {Strategy::truncate, Strategy::average}) {
    Stream stream(classifier, strategy);
    stream.push("four");
    EXPECT_EQ(stream.classify().status, Status::input_too_short);
    stream.push("!");
    expect_reference(stream, classifier, testing::bytes_of("four!"));
  }
}

TEST_P(StreamTest, DecidesAsTheClassifierDoes) {
  const Classifier classifier = classifier_of(architecture_of({conv(20, 3)}, 400), 1);
  const Bytes input = testing::random_bytes(350, 1);
  Stream stream(classifier);
  stream.push(input);
  std::vector<float> scores(3), whole_scores(3);
  const Result result = stream.classify({}, scores);
  const Result whole = classifier.classify(std::span<const std::byte>(input), {}, whole_scores);
  EXPECT_EQ(result.label, whole.label);
  EXPECT_NEAR(result.score, whole.score, 1e-5);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(scores[i], whole_scores[i], 1e-5);
  EXPECT_EQ(stream.classify().score, result.score);
}

TEST_P(StreamTest, OutlivesTheClassifierItCameFrom) {
  Stream stream = [] {
    const Classifier classifier = classifier_of(architecture_of({conv(20, 3)}, 400), 1);
    return Stream(classifier);
  }();
  stream.push("text");
  const Classifier again = classifier_of(architecture_of({conv(20, 3)}, 400), 1);
  expect_reference(stream, again, testing::bytes_of("text"));
}

TEST_P(StreamTest, MemoryDoesNotDependOnTheInput) {
  const Classifier classifier = classifier_of(architecture_of({conv(20, 3)}, 100), 1);
  for (const Strategy strategy : {Strategy::truncate, Strategy::average}) {
    Stream stream(classifier, strategy);
    const std::size_t before = stream.memory_bytes();
    EXPECT_LT(before, 16384U);
    const Bytes piece = testing::random_bytes(100000, 1);
    for (int i = 0; i < 10; ++i) stream.push(piece);
    EXPECT_EQ(stream.memory_bytes(), before);
    EXPECT_EQ(stream.size(), 1000000U);
  }
}

TEST_P(StreamTest, WindowsEqualTheNaiveOnesOnRandomModels) {
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    const Classifier classifier = classifier_of(testing::random_architecture(seed), seed);
    const std::size_t n = classifier.model().architecture.max_len;
    for (const std::size_t length : {n, n + 1, n + n / 2, n + n / 2 + 1, 2 * n, 4 * n + n / 3}) {
      const Strategy strategy = std::array{Strategy::average, Strategy::max, Strategy::attention}[(seed + length) % 3];
      expect_windows(classifier, testing::random_bytes(length, seed), strategy);
    }
  }
}

TEST_P(StreamTest, WindowsOfEveryPoolingStrideAndOddLength) {
  for (const Pooling pooling :
       {Pooling::max, Pooling::avg, Pooling::avg_max, Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
    for (const std::uint32_t stride : {1U, 2U, 4U}) {
      for (const std::uint32_t max_len : {64U, 65U, 66U, 128U}) {  // a half that is a multiple of the stride, or not
        for (const bool padded : {true, false}) {
          Architecture a = architecture_of({conv(20, 5), conv(9, 3)}, max_len);
          a.conv_layers[1].stride = stride;
          a.pooling = pooling;
          if (!padded) a.pad_token.reset();
          const Classifier classifier = classifier_of(a, max_len + stride);
          for (const Strategy strategy : {Strategy::average, Strategy::max, Strategy::attention}) {
            expect_windows(classifier, testing::random_bytes(5 * max_len + 3, stride), strategy);
          }
        }
      }
    }
  }
}

TEST_P(StreamTest, WindowsOfAResidualNetworkWhoseFieldIsLongerThanHalfAWindow) {
  std::vector<ConvLayer> layers = {conv(16, 3)};
  for (const std::uint32_t dilation : {1U, 4U, 8U}) {
    ConvLayer layer = conv(16, 3, Kind::gelu);
    layer.dilation = dilation;
    layer.pad_left = layer.pad_right = dilation;
    layer.residual = true;
    layers.push_back(layer);
  }
  for (const std::uint32_t max_len : {20U, 40U, 60U, 100U}) {
    const Classifier classifier = classifier_of(architecture_of(layers, max_len), max_len);
    expect_windows(classifier, testing::random_bytes(5 * max_len + 7, 1), Strategy::average);
  }
}

TEST_P(StreamTest, WindowsArePushedInAnyPieces) {
  const Classifier classifier = classifier_of(architecture_of({conv(20, 3), conv(16, 3)}, 64), 1);
  const Bytes input = testing::random_bytes(1111, 1);
  for (const Strategy strategy : {Strategy::average, Strategy::max, Strategy::attention}) {
    std::vector<float> whole(3);
    classify(classifier, std::span<const std::byte>(input), strategy, whole);
    for (const std::size_t piece : {1U, 31U, 64U, 65U, 500U}) {
      Stream stream(classifier, strategy);
      push_in_pieces(stream, input, {piece});
      std::vector<float> logits(3);
      stream.classify(logits);
      EXPECT_EQ(logits, whole) << piece;
    }
  }
}

TEST_P(StreamTest, OfFixedPointGivesTheSameBitsAsTheWhole) {
  if (GetParam() == Isa::reference) GTEST_SKIP() << "the reference has one arithmetic";
  for (const Arithmetic arithmetic : {Arithmetic::int32, Arithmetic::int16}) {
    const Classifier classifier(testing::with_random_weights(architecture_of({conv(40, 3)}, 256), 1),
                                ClassifierOptions{GetParam(), arithmetic});
    const Bytes input = testing::random_bytes(700, 1);
    Stream stream(classifier);
    push_in_pieces(stream, input, {50});
    std::vector<float> streamed(3), whole(3);
    stream.classify(streamed);
    classifier.classify(std::span<const std::byte>(input), whole);
    EXPECT_EQ(streamed, whole);
    if (arithmetic == Arithmetic::int32) expect_windows(classifier, input, Strategy::average);
  }
}

TEST_P(StreamTest, WindowsOfOneByte) {
  const Classifier classifier = classifier_of(architecture_of({conv(10, 3)}, 1), 1);
  expect_windows(classifier, testing::random_bytes(5, 1), Strategy::max);
}

TEST_P(StreamTest, ScoresOfWindowsFollowFromTheirCombinedLogits) {
  for (const Output output : {Output::sigmoid, Output::softmax, Output::none}) {
    Architecture a = architecture_of({conv(20, 3)}, 40);
    a.output = output;
    const Classifier classifier = classifier_of(a, 1);
    std::vector<float> logits(3), scores(3);
    const Bytes input = testing::random_bytes(200, 1);
    const Result result = classify(classifier, std::span<const std::byte>(input), Strategy::average, logits, scores);
    const std::vector<double> expected = reference_scores(output, std::vector<double>(logits.begin(), logits.end()));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(scores[i], expected[i], 1e-6);
    EXPECT_EQ(result.label, classifier.decide(scores).label);
    EXPECT_EQ(result.score, classifier.decide(scores).score);
  }
}

TEST(StrategyTest, NamesGoBothWaysAndUnknownOnesAreRefused) {
  for (const Strategy strategy : {Strategy::truncate, Strategy::average, Strategy::max, Strategy::attention}) {
    EXPECT_EQ(parse_strategy(to_string(strategy)), strategy);
  }
  try {
    static_cast<void>(parse_strategy("median"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(std::string(error.what()).find("attention"), std::string::npos);
  }
}

}  // namespace
}  // namespace bytecnn
