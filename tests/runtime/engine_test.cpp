// The engine against the double-precision reference, on every instruction set of this machine: random models over the
// whole architecture space, and the shapes that are easy to get wrong.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;
using testing::conv;
using Kind = Activation::Kind;

constexpr double tolerance = 1e-5;  // of S, on logits

class EngineTest : public ::testing::TestWithParam<Isa> {
 protected:
  static void expect_equal(const Classifier& classifier, const Bytes& input, const std::string& what) {
    ASSERT_LE(testing::logit_error(classifier, input), tolerance)
        << what << ", " << input.size() << " bytes: " << testing::describe(classifier.model().architecture);
  }

  /// A model of this architecture with random weights on random bytes of these lengths.
  static void expect_equal(const Architecture& architecture, const std::vector<std::size_t>& lengths) {
    const Classifier classifier(testing::with_random_weights(architecture, 7), GetParam());
    for (const std::size_t length : lengths) {
      expect_equal(classifier, testing::random_bytes(length, static_cast<std::uint32_t>(length)), "random bytes");
    }
  }
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, EngineTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

Architecture architecture_of(std::vector<ConvLayer> layers, std::uint32_t max_len, std::uint32_t embed_dim = 12) {
  Architecture a;
  a.embed_dim = embed_dim;
  a.conv_layers = std::move(layers);
  a.dense_layers = {{24, {Kind::relu}}};
  a.outputs = 2;
  a.output = Output::softmax;
  a.max_len = max_len;
  return a;
}

TEST_P(EngineTest, EqualsTheReferenceOnRandomModelsOfEveryKind) {
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    const Architecture architecture = testing::random_architecture(seed);
    const Classifier classifier(testing::with_random_weights(architecture, seed), GetParam());
    for (const std::size_t length : testing::telling_lengths(architecture)) {
      expect_equal(classifier, testing::random_bytes(length, seed + static_cast<std::uint32_t>(length)),
                   "seed " + std::to_string(seed));
    }
  }
}

TEST_P(EngineTest, EveryByteAloneAndEveryConstantTextUpToAndOverMaxLen) {
  Architecture a = architecture_of({conv(40, 3)}, 512);
  a.outputs = 1;
  a.output = Output::sigmoid;
  const Classifier classifier(testing::with_random_weights(a, 3), GetParam());
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t length : {1U, 512U, 600U}) {
      expect_equal(classifier, Bytes(length, static_cast<std::byte>(byte)), "byte " + std::to_string(byte));
    }
  }
}

TEST_P(EngineTest, EveryLengthOfTextAndOfRandomBytes) {
  const Architecture a = architecture_of({conv(20, 3), conv(16, 5)}, 48);
  const Classifier classifier(testing::with_random_weights(a, 4), GetParam());
  const Bytes text = testing::bytes_of("GET /index.php?id=1%27%20OR%20%271%27=%271 HTTP/1.1\r\nHost: example.org\r\n");
  for (std::size_t length = 0; length <= text.size(); ++length) {
    expect_equal(classifier, Bytes(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length)), "text");
    expect_equal(classifier, testing::random_bytes(length, static_cast<std::uint32_t>(length)), "random");
  }
}

TEST_P(EngineTest, WideModels) {
  for (const Pooling pooling : {Pooling::avg_max, Pooling::concat_avg_max_std}) {
    Architecture a = architecture_of({conv(200, 3), conv(300, 3)}, 40, 64);
    a.pooling = pooling;
    expect_equal(a, {0, 1, 20, 38, 40, 100});
  }
  expect_equal(architecture_of({conv(300, 5)}, 100, 100), {0, 10, 98, 101});
}

TEST_P(EngineTest, DeepModelOfSixResidualGeluBlocks) {
  std::vector<ConvLayer> layers = {conv(80, 3, Kind::gelu)};
  for (std::uint32_t i = 0; i < 6; ++i) {
    layers.push_back(conv(80, 3, Kind::gelu, 1U << i));
    layers.back().residual = true;
  }
  expect_equal(architecture_of(layers, 512), {0, 40, 510, 600});
}

TEST_P(EngineTest, TallStrides) {
  for (const std::uint32_t stride : {4U, 7U, 33U, 100U}) {
    ConvLayer first = conv(16, 5);
    ConvLayer second = conv(24, 3);
    first.stride = stride;
    expect_equal(architecture_of({first, second}, 512), {0, 1, stride, 3 * stride + 1, 509, 511, 512, 513});
    second.stride = stride;
    expect_equal(architecture_of({conv(16, 3), second}, 512), {0, 1, stride, 3 * stride + 1, 509, 511, 512, 513});
  }
}

TEST_P(EngineTest, DepthwiseAndSeparableConvolutions) {
  for (const std::uint32_t channels : {2U, 16U, 33U, 70U}) {
    ConvLayer depthwise = conv(channels, 5, Kind::silu, 2);
    depthwise.groups = channels;
    ConvLayer residual = depthwise;
    residual.residual = true;
    residual.batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
    expect_equal(architecture_of({conv(channels, 3), depthwise, conv(channels, 1), residual}, 100),
                 {0, 1, 50, 97, 99, 100, 101});
    expect_equal(architecture_of({depthwise}, 100, channels), {0, 50, 100});
  }
}

TEST_P(EngineTest, GroupsOfEveryWidth) {
  for (const std::uint32_t groups : {2U, 3U, 4U, 6U}) {
    for (const std::uint32_t group_filters : {1U, 5U, 8U, 17U, 40U}) {
      ConvLayer layer = conv(groups * group_filters, 3, Kind::tanh);
      layer.groups = groups;
      expect_equal(architecture_of({conv(12, 2), layer, conv(7, 3)}, 64), {0, 9, 62, 64});
    }
  }
}

TEST_P(EngineTest, LongKernelsAndKernelsLongerThanTheText) {
  for (const std::uint32_t kernel_size : {15U, 16U, 31U, 64U}) {
    expect_equal(architecture_of({conv(24, kernel_size)}, 128), {0, 1, 14, 15, 60, 125, 127, 128, 129});
    expect_equal(architecture_of({conv(24, 3), conv(24, kernel_size, Kind::relu, 2)}, 128), {0, 1, 15, 60, 127, 128});
  }
}

TEST_P(EngineTest, OneLayerOfEveryKernelAndEveryWidth) {
  for (std::uint32_t kernel_size = 1; kernel_size <= 9; ++kernel_size) {
    for (std::uint32_t filters = 1; filters <= 100; filters += filters < 41 ? 3 : 19) {
      Architecture a = architecture_of({conv(filters, kernel_size)}, 75, 5);
      a.pooling = filters % 2 == 0 ? Pooling::avg_max : Pooling::concat_avg_max;
      expect_equal(a, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76});
      a.pad_token.reset();
      expect_equal(a, {9, 10, 11, 12, 13, 64, 75});
    }
  }
}

TEST_P(EngineTest, OneLayerWithAnyBorders) {
  for (const std::uint32_t left : {0U, 1U, 2U, 3U, 5U}) {
    for (const std::uint32_t right : {0U, 1U, 2U, 5U, 20U}) {
      ConvLayer layer = conv(20, 3);
      layer.pad_left = left;
      layer.pad_right = right;
      expect_equal(architecture_of({layer}, 30), {0, 1, 2, 3, 4, 5, 15, 26, 27, 28, 29, 30, 31});
      layer.dilation = 3;
      expect_equal(architecture_of({layer}, 30), {0, 1, 2, 3, 4, 5, 15, 26, 27, 28, 29, 30, 31});
    }
  }
}

TEST_P(EngineTest, AsManyTokensAsSixteenBitsHoldAndMore) {
  for (const std::uint32_t vocab_size : {65534U, 65535U, 65536U}) {
    Architecture a = architecture_of({conv(4, 3)}, 20, 2);
    a.vocab_size = vocab_size;
    a.pad_token = vocab_size - 1;
    expect_equal(a, {0, 1, 10, 19, 20});
  }
}

TEST_P(EngineTest, MoreZeroPaddingThanText) {
  ConvLayer layer = conv(9, 3);
  layer.pad_left = 40;
  layer.pad_right = 70;
  expect_equal(architecture_of({layer, layer}, 10), {0, 1, 9, 10, 11});
}

TEST_P(EngineTest, MaxLenOfOneAndTwo) {
  for (const std::uint32_t max_len : {1U, 2U}) {
    expect_equal(architecture_of({conv(10, 3)}, max_len), {0, 1, 2, 3, 1000});
    expect_equal(architecture_of({conv(10, 1), conv(10, 5)}, max_len), {0, 1, 2, 3, 1000});
  }
}

TEST_P(EngineTest, AMaxLenOfManyThousands) {
  Architecture a = architecture_of({conv(16, 3)}, 20000, 8);
  expect_equal(a, {0, 40, 10000, 19999, 20000, 30000});
  a.pooling = Pooling::concat_avg_max_std;
  expect_equal(a, {0, 40, 20000});
  a.conv_layers.push_back(conv(8, 5, Kind::gelu));
  expect_equal(a, {0, 40, 19999});
  a.pad_token.reset();
  expect_equal(a, {2, 40, 20000, 30000});
}

TEST_P(EngineTest, WorkingMemoryThatDoesNotFitTheStack) {
  const Architecture a = architecture_of({conv(3000, 3), conv(16, 3)}, 12, 2);
  const Classifier classifier(testing::with_random_weights(a, 1), GetParam());
  ASSERT_EQ(classifier.working_memory_on_stack(), GetParam() == Isa::reference);
  for (const std::size_t length : {0U, 1U, 6U, 11U, 12U, 100U}) {
    expect_equal(classifier, testing::random_bytes(length, 1), "wide");
  }
}

TEST_P(EngineTest, WithoutPaddingAnyInputLongEnoughIsExactAndAnyOtherIsAStatus) {
  for (const Pooling pooling : {Pooling::avg_max, Pooling::concat_avg_max_std}) {
    ConvLayer strided = conv(12, 4);
    strided.stride = 2;
    strided.pad_left = strided.pad_right = 0;
    Architecture a = architecture_of({strided, strided}, 40);
    a.pooling = pooling;
    a.pad_token.reset();
    // (length - 4) / 2 + 1 columns, twice: the second layer needs 4 of them for one window, 6 for two.
    const std::size_t shortest = pooling == Pooling::avg_max ? 10 : 14;
    const Classifier classifier(testing::with_random_weights(a, 1), GetParam());
    for (std::size_t length = 0; length < 45; ++length) {
      const Bytes input = testing::random_bytes(length, 9);
      if (length >= shortest) {
        expect_equal(classifier, input, "not padded");
        continue;
      }
      std::vector<float> logits(2, 42.0F);
      const Result result = classifier.classify(std::span<const std::byte>(input), logits);
      EXPECT_EQ(result.status, Status::input_too_short) << length;
      EXPECT_EQ(result.label, -1);
      EXPECT_EQ(result.score, 0.0F);
      EXPECT_EQ(logits, (std::vector<float>{42, 42})) << "nothing is written";
    }
  }
}

TEST_P(EngineTest, AVocabularyWithAPadTokenOfItsOwn) {
  Architecture a = architecture_of({conv(40, 3)}, 100);
  a.vocab_size = 257;
  a.pad_token = 256;
  expect_equal(a, {0, 1, 2, 50, 97, 98, 99, 100, 101});
  a.vocab_size = 1000;
  a.pad_token = 999;
  a.conv_layers.push_back(conv(40, 3));
  expect_equal(a, {0, 1, 2, 50, 97, 98, 99, 100, 101});
}

TEST_P(EngineTest, ConcatenatingPoolingsOfEveryWidth) {
  for (std::uint32_t filters = 1; filters <= 50; filters += filters < 20 ? 1 : 7) {
    for (const Pooling pooling : {Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
      Architecture a = architecture_of({conv(filters, 3)}, 64);
      a.pooling = pooling;
      expect_equal(a, {0, 1, 62, 64});
      a.dense_layers.clear();
      a.outputs = 1;
      expect_equal(a, {0, 30, 64});
    }
  }
}

TEST_P(EngineTest, HeadsOfEveryWidth) {
  for (std::uint32_t units = 1; units <= 140; units += units < 36 ? 1 : 13) {
    Architecture a = architecture_of({conv(20, 3)}, 16);
    a.dense_layers = {{units, {Kind::gelu}}, {units, {Kind::tanh}}};
    a.outputs = units;
    expect_equal(a, {0, 8, 16});
  }
}

TEST_P(EngineTest, EveryActivationEverywhere) {
  for (const Kind kind :
       {Kind::none, Kind::relu, Kind::leaky_relu, Kind::gelu, Kind::silu, Kind::tanh, Kind::sigmoid}) {
    for (const bool scaled : {false, true}) {
      Architecture a = architecture_of({conv(20, 3, kind), conv(20, 3, kind)}, 40);
      a.dense_layers[0].activation = {kind, 0.3F};
      if (scaled) {
        for (ConvLayer& layer : a.conv_layers) layer.batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
      }
      expect_equal(a, {0, 1, 20, 38, 40, 41});
      a.conv_layers.pop_back();
      expect_equal(a, {0, 1, 20, 38, 40, 41});
    }
  }
}

TEST_P(EngineTest, ActivationsStayRightForLargeInputs) {
  for (const Kind kind : {Kind::gelu, Kind::silu, Kind::tanh, Kind::sigmoid}) {
    Model model = testing::with_random_weights(architecture_of({conv(20, 3, kind)}, 40), 1);
    for (float& weight : model.weights.conv[0].weight) weight *= 100;  // sums of several hundred, of both signs
    const Classifier classifier(std::move(model), GetParam());
    for (const std::size_t length : {0U, 20U, 40U}) {
      expect_equal(classifier, testing::random_bytes(length, 1), "large sums");
    }
  }
}

TEST_P(EngineTest, TextAndBytesAreOneAndTheSame) {
  const Classifier classifier(testing::with_random_weights(architecture_of({conv(20, 3)}, 40), 1), GetParam());
  const std::string text("caf\xC3\xA9 \x00\xFF", 8);
  const Bytes input = testing::bytes_of(text);
  std::vector<float> from_text(2), from_bytes(2), scores(2);
  const Result a = classifier.classify(std::string_view(text), from_text);
  const Result b = classifier.classify(std::span<const std::byte>(input), from_bytes, scores);
  EXPECT_EQ(from_text, from_bytes);
  EXPECT_EQ(a.label, b.label);
  EXPECT_EQ(a.score, b.score);
  EXPECT_EQ(b.score, *std::max_element(scores.begin(), scores.end()));
}

TEST_P(EngineTest, ScoresEqualTheReferenceScores) {
  for (const Output output : {Output::sigmoid, Output::softmax, Output::none}) {
    for (const std::uint32_t outputs : {1U, 2U, 5U, 16U, 17U, 100U}) {
      Architecture a = architecture_of({conv(20, 3)}, 40);
      a.output = output;
      a.outputs = outputs;
      const Classifier classifier(testing::with_random_weights(a, 1), GetParam());
      const Bytes input = testing::random_bytes(30, outputs);
      std::vector<float> scores(outputs);
      classifier.classify(std::span<const std::byte>(input), {}, scores);
      const auto expected = reference_scores(output, reference_logits(classifier.model(), input));
      for (std::size_t i = 0; i < outputs; ++i) EXPECT_NEAR(scores[i], expected[i], 1e-5) << outputs;
    }
  }
}

}  // namespace
}  // namespace bytecnn
