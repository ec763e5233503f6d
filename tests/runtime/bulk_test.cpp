// Batches of models whose first two convolutions are looked up: right, and the same bits whatever was learned, however
// the inputs are cut into batches, and on any number of threads.

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;
using testing::conv;
using Kind = Activation::Kind;
using Spans = std::vector<std::span<const std::byte>>;

constexpr double tolerance = 1e-5;  // of S, on logits

constexpr std::string_view english =
    "The ferry leaves the northern harbour at a quarter past six, and whoever misses it waits until noon. "
    "Please restart the router before you call support, because most reports of slow connections end right there. "
    "What a terrible match: three red cards, a penalty missed in the last minute, and rain from start to finish! ";

struct Sample {
  std::string name;
  Architecture architecture;
};

Architecture two_layers(ConvLayer first, ConvLayer second, std::uint32_t max_len = 300) {
  Architecture a;
  a.embed_dim = 6;
  a.conv_layers = {first, second};
  a.dense_layers = {{20, {Kind::relu}}};
  a.outputs = 2;
  a.output = Output::softmax;
  a.max_len = max_len;
  return a;
}

/// Everything that a batch may look up, in every form that its kernels distinguish.
std::vector<Sample> looked_up() {
  std::vector<Sample> samples = {
      {"half a vector shared", two_layers(conv(28, 3), conv(24, 3))},
      {"whole vectors", two_layers(conv(16, 3), conv(48, 3))},
      {"less than half a vector", two_layers(conv(9, 3), conv(3, 3))},
      {"five taps", two_layers(conv(12, 3), conv(20, 5))},
      {"five taps of whole vectors", two_layers(conv(12, 3), conv(32, 5))},
      {"windows of two", two_layers(conv(10, 2), conv(12, 3))},
      {"windows of one", two_layers(conv(10, 1), conv(12, 3))},
      {"gelu first", two_layers(conv(14, 3, Kind::gelu), conv(24, 3))},
      {"gelu last", two_layers(conv(14, 3), conv(24, 3, Kind::gelu))},
      {"many tiles", two_layers(conv(8, 3), conv(24, 3), 2000)},
      {"a text as short as the reach", two_layers(conv(8, 3), conv(24, 5), 4)},
  };
  Architecture a = two_layers(conv(28, 3), conv(24, 3));
  a.conv_layers.push_back(conv(20, 3));
  samples.push_back({"a third layer", a});
  a = two_layers(conv(28, 3), conv(28, 5));
  a.conv_layers.push_back(conv(20, 3));
  a.conv_layers[2].stride = 2;
  samples.push_back({"a third layer with a stride", a});
  a = two_layers(conv(12, 3), conv(20, 3));
  a.conv_layers[0].batch_norm = a.conv_layers[1].batch_norm =
      BatchNormSpec{1e-5, BatchNormSpec::Position::after_activation};
  samples.push_back({"batch norm after the activations", a});
  a = two_layers(conv(12, 3), conv(20, 5));
  a.conv_layers[0].pad_left = a.conv_layers[0].pad_right = 0;
  a.conv_layers[1].pad_left = 0;
  samples.push_back({"little zero padding", a});
  a = two_layers(conv(12, 3), conv(20, 3));
  a.conv_layers[0].pad_left = 5;
  a.conv_layers[1].pad_left = 0;
  a.conv_layers[1].pad_right = 2;
  samples.push_back({"lopsided zero padding", a});
  a = two_layers(conv(12, 3), conv(20, 3));
  a.pad_token.reset();
  samples.push_back({"no padding of the text", a});
  a.pad_token = 256;
  a.vocab_size = 257;
  samples.push_back({"a pad token of its own", a});
  for (const Pooling pooling : {Pooling::max, Pooling::avg, Pooling::concat_avg_max, Pooling::concat_avg_max_std}) {
    a = two_layers(conv(12, 3), conv(20, 3));
    a.pooling = pooling;
    samples.push_back({std::string(to_string(pooling)), a});
  }
  return samples;
}

/// Random bytes without control characters: they count as text, and nearly all of their windows are computed.
Bytes noise_of_text(std::size_t length) {
  Bytes noise = testing::random_bytes(length, static_cast<std::uint32_t>(length) + 1);
  for (std::byte& byte : noise) {
    if (byte < std::byte{0x20}) byte |= std::byte{0x40};
  }
  return noise;
}

/// Texts of all kinds and lengths.
std::vector<Bytes> inputs_for(const Architecture& a) {
  std::vector<Bytes> inputs;
  for (const std::size_t length : testing::telling_lengths(a)) {
    inputs.push_back(testing::random_bytes(length, static_cast<std::uint32_t>(length)));
    inputs.push_back(noise_of_text(length));
    Bytes text;
    while (text.size() < length) {
      const Bytes more = testing::bytes_of(english.substr(length % 60));
      text.insert(text.end(), more.begin(), more.end());
    }
    text.resize(length);
    inputs.push_back(std::move(text));
    inputs.emplace_back(length, std::byte{0x20});
    inputs.emplace_back(length, std::byte{0});
  }
  return inputs;
}

struct Answers {
  std::vector<Result> results;
  std::vector<float> logits;
};

Spans spans_of(const std::vector<Bytes>& inputs) {
  return {inputs.begin(), inputs.end()};
}

/// Inputs [low, high) of a batch into their places.
void classify_part(const Classifier& classifier, const Spans& inputs, std::size_t low, std::size_t high,
                   unsigned threads, Answers& answers) {
  const std::size_t width = classifier.outputs();
  classifier.classify_batch(std::span(inputs).subspan(low, high - low),
                            std::span(answers.results).subspan(low, high - low),
                            std::span(answers.logits).subspan(low * width, (high - low) * width), {}, threads);
}

Answers classify_all(const Classifier& classifier, const Spans& inputs, unsigned threads) {
  Answers answers{std::vector<Result>(inputs.size()), std::vector<float>(inputs.size() * classifier.outputs())};
  classify_part(classifier, inputs, 0, inputs.size(), threads, answers);
  return answers;
}

void expect_same(const Answers& a, const Answers& b, const std::string& what) {
  EXPECT_EQ(a.logits, b.logits) << what;
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    EXPECT_EQ(a.results[i].status, b.results[i].status) << what;
    EXPECT_EQ(a.results[i].label, b.results[i].label) << what;
    EXPECT_EQ(a.results[i].score, b.results[i].score) << what;
  }
}

class BulkTest : public ::testing::TestWithParam<Isa> {
 protected:
  static Classifier classifier_of(const Architecture& a) {
    return Classifier(testing::with_random_weights(a, 3), GetParam());
  }
};

std::vector<Isa> vector_isas() {
  std::vector<Isa> isas = supported_isas();
  std::erase(isas, Isa::reference);  // has no plan
  return isas;
}

INSTANTIATE_TEST_SUITE_P(EveryIsa, BulkTest, ::testing::ValuesIn(vector_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(BulkTest, BatchesAgreeWithTheReference) {
  for (const auto& [name, architecture] : looked_up()) {
    const Classifier classifier = classifier_of(architecture);
    ASSERT_TRUE(classifier.has_bulk_plan()) << name;
    const std::vector<Bytes> inputs = inputs_for(architecture);
    const Answers answers = classify_all(classifier, spans_of(inputs), 1);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (answers.results[i].status == Status::input_too_short) {
        EXPECT_FALSE(architecture.pad_token) << name;
        continue;
      }
      const std::span<const float> logits(&answers.logits[i * classifier.outputs()], classifier.outputs());
      ASSERT_LE(testing::logit_error(classifier.model(), inputs[i], logits), tolerance)
          << name << ", input " << i << " of " << inputs[i].size() << " bytes";
    }
  }
}

TEST_P(BulkTest, WhatWasLearnedChangesNoBit) {
  const Spans text = {std::as_bytes(std::span(english))};
  const Bytes noise = testing::random_bytes(100'000, 1);
  const Spans random = {noise};
  for (const auto& [name, architecture] : looked_up()) {
    const std::vector<Bytes> inputs = inputs_for(architecture);
    const Spans spans = spans_of(inputs);
    const Classifier classifier = classifier_of(architecture);
    Answers nothing{std::vector<Result>(inputs.size()), std::vector<float>(inputs.size() * classifier.outputs())};
    // One by one: too little to learn from.
    for (std::size_t i = 0; i < inputs.size(); ++i) classify_part(classifier, spans, i, i + 1, 1, nothing);
    classifier.tune_batch({});
    expect_same(classify_all(classifier, spans, 1), nothing, name + ", an empty table");
    classifier.tune_batch(text);
    expect_same(classify_all(classifier, spans, 1), nothing, name + ", learned from English");
    classifier.tune_batch(random);
    expect_same(classify_all(classifier, spans, 1), nothing, name + ", learned from random bytes");
    classifier.tune_batch(spans);
    expect_same(classify_all(classifier, spans, 1), nothing, name + ", learned from the very inputs");
  }
}

TEST_P(BulkTest, WhatTheModelStatesChangesNoBit) {
  for (const auto& [name, architecture] : looked_up()) {
    Model model = testing::with_random_weights(architecture, 3);
    const std::vector<Bytes> inputs = inputs_for(architecture);
    const Spans spans = spans_of(inputs);
    const Answers expected = classify_all(Classifier(model, GetParam()), spans, 1);
    FrequentWindowCounter counter(architecture);
    for (const auto input : spans) counter.count(input);
    for (const std::size_t windows : {std::size_t{1}, std::size_t{100}, ModelLimits::max_frequent_windows}) {
      model.frequent_windows = counter.most_frequent(windows);
      const Classifier classifier(model, GetParam());
      Answers answers{std::vector<Result>(inputs.size()), std::vector<float>(inputs.size() * classifier.outputs())};
      // One by one: without a table at first, then with the model's own, which no such batch is learned over.
      for (std::size_t i = 0; i < inputs.size(); ++i) classify_part(classifier, spans, i, i + 1, 1, answers);
      expect_same(answers, expected, name + ", " + std::to_string(windows) + " windows");
      expect_same(classify_all(classifier, spans, 3), expected, name + ", on three threads");
    }
    const Classifier tuned(model, GetParam());
    model.frequent_windows = {};
    const Classifier untuned(model, GetParam());
    for (const auto input : spans) {
      std::vector<float> with(tuned.outputs());
      std::vector<float> without(tuned.outputs());
      EXPECT_EQ(tuned.classify(input, with).status, untuned.classify(input, without).status);
      EXPECT_EQ(with, without) << name << ", a single call";
    }
  }
}

TEST_P(BulkTest, ManyThreadsMayComeUponTheModelsOwnWindowsAtOnce) {
  std::vector<Bytes> inputs;
  for (std::uint32_t i = 0; i < 60; ++i) inputs.push_back(testing::bytes_of(english.substr(i)));
  const Spans spans = spans_of(inputs);
  Model model = testing::with_random_weights(looked_up()[0].architecture, 3);
  const Answers expected = classify_all(Classifier(model, GetParam()), spans, 1);
  FrequentWindowCounter counter(model.architecture);
  for (const auto input : spans) counter.count(input);
  model.frequent_windows = counter.most_frequent(500);
  const Classifier classifier(model, GetParam());
  std::vector<Answers> together(
      4, {std::vector<Result>(inputs.size()), std::vector<float>(inputs.size() * classifier.outputs())});
  {
    std::vector<std::jthread> threads;
    for (Answers& answers : together) {
      threads.emplace_back([&] {
        for (std::size_t i = 0; i < spans.size(); i += 5) classify_part(classifier, spans, i, i + 5, 1, answers);
      });
    }
  }
  for (const Answers& answers : together) expect_same(answers, expected, "together");
}

TEST_P(BulkTest, NeitherThreadsNorTheCutIntoBatchesChangeABit) {
  std::vector<Bytes> inputs;
  std::mt19937 engine(5);
  for (std::uint32_t i = 0; i < 700; ++i) {
    const std::size_t start = engine() % 200;
    inputs.push_back(i % 3 == 0 ? testing::random_bytes(i % 90, i)
                                : testing::bytes_of(english.substr(start, engine() % 120)));
  }
  const Spans spans = spans_of(inputs);
  for (const auto& [name, architecture] : {looked_up()[0], looked_up()[11]}) {
    const Classifier fresh = classifier_of(architecture);
    const Answers expected = classify_all(fresh, spans, 1);
    for (const unsigned threads : {2U, 3U, 4U, 5U, 6U, 7U, 8U}) {
      expect_same(classify_all(classifier_of(architecture), spans, threads), expected, name);
    }
    for (int cut = 0; cut < 5; ++cut) {
      const Classifier classifier = classifier_of(architecture);
      Answers answers{std::vector<Result>(inputs.size()), std::vector<float>(inputs.size() * classifier.outputs())};
      for (std::size_t low = 0; low < inputs.size();) {
        const std::size_t high = std::min<std::size_t>(inputs.size(), low + 1 + engine() % 300);
        classify_part(classifier, spans, low, high, 1 + engine() % 4, answers);
        low = high;
      }
      expect_same(answers, expected, name);
    }
  }
}

TEST_P(BulkTest, ManyThreadsMayClassifyAndLearnAtOnce) {
  std::vector<Bytes> inputs;
  for (std::uint32_t i = 0; i < 400; ++i) inputs.push_back(testing::bytes_of(english.substr(i % 200)));
  const Spans spans = spans_of(inputs);
  const Architecture architecture = looked_up()[0].architecture;
  const Answers expected = classify_all(classifier_of(architecture), spans, 1);
  const Classifier classifier = classifier_of(architecture);
  std::vector<Answers> together(4);
  {
    std::vector<std::jthread> threads;
    for (Answers& answers : together) threads.emplace_back([&] { answers = classify_all(classifier, spans, 2); });
    threads.emplace_back([&] { classifier.tune_batch(spans); });
  }
  for (const Answers& answers : together) expect_same(answers, expected, "together");
}

TEST_P(BulkTest, ModelsThatAreNotLookedUpGiveTheBitsOfSingleCalls) {
  ConvLayer dilated = conv(20, 3);
  dilated.dilation = dilated.pad_left = dilated.pad_right = 2;
  ConvLayer grouped = conv(24, 3);
  grouped.groups = 2;
  Architecture one = two_layers(conv(40, 3), conv(24, 3));
  one.conv_layers.pop_back();
  Architecture wide = two_layers(conv(12, 3), conv(400, 5));
  for (const Architecture& a : {one, two_layers(conv(12, 5), conv(24, 3)), two_layers(conv(12, 3), dilated),
                                two_layers(conv(12, 3), grouped), two_layers(conv(12, 3), conv(24, 7)), wide}) {
    const Classifier classifier = classifier_of(a);
    ASSERT_FALSE(classifier.has_bulk_plan()) << testing::describe(a);
    const std::vector<Bytes> inputs = inputs_for(a);
    classifier.tune_batch(spans_of(inputs));
    const Answers batch = classify_all(classifier, spans_of(inputs), 2);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      std::vector<float> alone(classifier.outputs());
      classifier.classify(std::span<const std::byte>(inputs[i]), alone);
      EXPECT_EQ(alone, std::vector<float>(&batch.logits[i * alone.size()], &batch.logits[(i + 1) * alone.size()]))
          << testing::describe(a);
    }
  }
}

TEST_P(BulkTest, WhatIsNotTextGivesTheBitsOfSingleCalls) {
  for (const auto& [name, architecture] : looked_up()) {
    if (architecture.max_len < 100) continue;
    const Classifier classifier = classifier_of(architecture);
    std::vector<Bytes> inputs;
    for (std::uint32_t i = 0; i < 30; ++i) inputs.push_back(testing::random_bytes(100 + 10 * i, i));
    for (std::size_t i = 0; i < 10; ++i) inputs.push_back(noise_of_text(100 + 10 * i));
    classifier.tune_batch(spans_of(inputs));
    const Answers batch = classify_all(classifier, spans_of(inputs), 1);
    const auto same = [&](std::size_t i) {
      std::vector<float> alone(classifier.outputs());
      classifier.classify(std::span<const std::byte>(inputs[i]), alone);
      return std::equal(alone.begin(), alone.end(), &batch.logits[i * alone.size()]);
    };
    for (std::size_t i = 0; i < 30; ++i) EXPECT_TRUE(same(i)) << name << ", input " << i;
    if (name != "half a vector shared") continue;
    // All of which proves nothing unless text goes another way: here single calls run by Winograd's algorithm.
    std::size_t different = 0;
    for (std::size_t i = 30; i < inputs.size(); ++i) different += same(i) ? 0U : 1U;
    EXPECT_GT(different, 0U);
  }
}

TEST_P(BulkTest, TheDescriptionTellsWhetherBatchesAreLookedUp) {
  const Classifier classifier = classifier_of(looked_up()[0].architecture);
  EXPECT_NE(classifier.plan_description().find("bulk calls: windows of 3 tokens looked up"), std::string::npos)
      << classifier.plan_description();
}

}  // namespace
}  // namespace bytecnn
