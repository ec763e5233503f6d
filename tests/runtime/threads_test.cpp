// One classifier used by many threads at once, and batches: always the same bits.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace bytecnn {
namespace {

using testing::Bytes;

struct Answers {
  std::vector<Result> results;
  std::vector<float> logits, scores;

  Answers(std::size_t inputs, std::size_t outputs)
      : results(inputs), logits(inputs * outputs), scores(inputs * outputs) {}
};

void expect_same(const Answers& a, const Answers& b) {
  EXPECT_EQ(a.logits, b.logits);
  EXPECT_EQ(a.scores, b.scores);
  ASSERT_EQ(a.results.size(), b.results.size());
  for (std::size_t i = 0; i < a.results.size(); ++i) {
    EXPECT_EQ(a.results[i].status, b.results[i].status);
    EXPECT_EQ(a.results[i].label, b.results[i].label);
    EXPECT_EQ(a.results[i].score, b.results[i].score);
  }
}

class ThreadsTest : public ::testing::TestWithParam<Isa> {
 protected:
  ThreadsTest() {
    for (std::uint32_t i = 0; i < 300; ++i) inputs_.push_back(testing::random_bytes(i % 61, i));
  }

  static Classifier classifier_of(std::uint32_t seed) {
    return Classifier(testing::with_random_weights(testing::random_architecture(seed), seed), GetParam());
  }

  [[nodiscard]] Answers one_by_one(const Classifier& classifier) const {
    const std::size_t width = classifier.outputs();
    Answers answers(inputs_.size(), width);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      answers.results[i] = classifier.classify(std::span<const std::byte>(inputs_[i]),
                                               std::span(answers.logits).subspan(i * width, width),
                                               std::span(answers.scores).subspan(i * width, width));
    }
    return answers;
  }

  [[nodiscard]] std::vector<std::span<const std::byte>> spans() const { return {inputs_.begin(), inputs_.end()}; }

  std::vector<Bytes> inputs_;
};

INSTANTIATE_TEST_SUITE_P(EveryIsa, ThreadsTest, ::testing::ValuesIn(supported_isas()),
                         [](const auto& param_info) { return std::string(to_string(param_info.param)); });

TEST_P(ThreadsTest, EightThreadsOnOneClassifierGiveTheSameBits) {
  for (const std::uint32_t seed : {1U, 2U, 3U, 4U}) {
    const Classifier classifier = classifier_of(seed);
    const Answers alone = one_by_one(classifier);
    std::vector<Answers> together(8, Answers(0, 0));
    {
      std::vector<std::jthread> threads;
      for (Answers& answers : together) threads.emplace_back([&] { answers = one_by_one(classifier); });
    }
    for (const Answers& answers : together) expect_same(answers, alone);
  }
}

TEST_P(ThreadsTest, EightThreadsOnAModelTooWideForTheStackGiveTheSameBits) {
  Architecture a;
  a.embed_dim = 4;
  ConvLayer wide;
  wide.filters = 3000;
  wide.kernel_size = 3;
  ConvLayer narrow = wide;
  narrow.filters = 8;
  a.conv_layers = {wide, narrow};
  a.outputs = 3;
  a.max_len = 8;
  const Classifier classifier(testing::with_random_weights(a, 1), GetParam());
  ASSERT_EQ(classifier.working_memory_on_stack(), GetParam() == Isa::reference);
  inputs_.resize(20);
  const Answers alone = one_by_one(classifier);
  std::vector<Answers> together(8, Answers(0, 0));
  {
    std::vector<std::jthread> threads;
    for (Answers& answers : together) threads.emplace_back([&] { answers = one_by_one(classifier); });
  }
  for (const Answers& answers : together) expect_same(answers, alone);
}

TEST_P(ThreadsTest, BatchesEqualSingleCallsBitForBitOnAnyNumberOfThreads) {
  for (const std::uint32_t seed : {5U, 6U}) {
    const Classifier classifier = classifier_of(seed);
    ASSERT_FALSE(classifier.has_bulk_plan());
    const Answers alone = one_by_one(classifier);
    for (const unsigned threads : {0U, 1U, 2U, 3U, 8U, 64U}) {
      Answers batch(inputs_.size(), classifier.outputs());
      classifier.classify_batch(spans(), batch.results, batch.logits, batch.scores, threads);
      expect_same(batch, alone);
    }
  }
}

TEST_P(ThreadsTest, HeadsOfABatchHaveTheBitsOfSingleCallsWhateverTheirWidthAndNumber) {
  // Around whole groups of vectors that several inputs share, with even and odd numbers of inputs to a sum.
  const std::vector<std::vector<std::uint32_t>> heads = {{}, {31}, {33}, {128}, {129, 256}, {300, 64, 1}, {127, 128}};
  for (const std::vector<std::uint32_t>& widths : heads) {
    for (const std::uint32_t outputs : {1U, 2U, 130U}) {
      Architecture a;
      a.embed_dim = 3;
      a.max_len = 64;
      ConvLayer conv;
      conv.filters = widths.size() == 1 ? 13 : 40;
      conv.kernel_size = 3;
      a.conv_layers = {conv};
      for (const std::uint32_t units : widths) {
        DenseLayer dense;
        dense.units = units;
        if (a.dense_layers.size() == 1) dense.activation = {Activation::Kind::gelu};
        a.dense_layers.push_back(dense);
      }
      a.outputs = outputs;
      a.output = outputs == 2 ? Output::softmax : Output::sigmoid;
      const Classifier classifier(testing::with_random_weights(a, outputs), GetParam());
      inputs_.resize(40);
      const std::vector<std::span<const std::byte>> inputs = spans();
      const Answers alone = one_by_one(classifier);
      for (std::size_t count : {1U, 5U, 6U, 7U, 11U, 12U, 13U, 18U, 24U, 31U, 40U}) {
        Answers batch(count, outputs);
        classifier.classify_batch(std::span(inputs).first(count), batch.results, batch.logits, batch.scores, 1);
        Answers first = alone;
        first.results.resize(count);
        first.logits.resize(count * outputs);
        first.scores.resize(count * outputs);
        expect_same(batch, first);
      }
    }
  }
}

TEST_P(ThreadsTest, ABatchMayLeaveOutLogitsAndScoresAndMayBeEmpty) {
  const Classifier classifier = classifier_of(7);
  const Answers alone = one_by_one(classifier);
  std::vector<Result> results(inputs_.size());
  classifier.classify_batch(spans(), results);
  for (std::size_t i = 0; i < results.size(); ++i) EXPECT_EQ(results[i].score, alone.results[i].score);
  EXPECT_NO_THROW(classifier.classify_batch({}, {}));
}

TEST_P(ThreadsTest, ABatchReportsInputsThatAreTooShortOneByOne) {
  Architecture a;
  a.embed_dim = 3;
  ConvLayer layer;
  layer.filters = 5;
  layer.kernel_size = 4;
  a.conv_layers = {layer};
  a.outputs = 1;
  a.pad_token.reset();
  const Classifier classifier(testing::with_random_weights(a, 1), GetParam());
  Answers batch(inputs_.size(), 1);
  classifier.classify_batch(spans(), batch.results, batch.logits, batch.scores, 4);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    EXPECT_EQ(batch.results[i].status, inputs_[i].size() < 4 ? Status::input_too_short : Status::ok) << i;
  }
  expect_same(batch, one_by_one(classifier));  // what stands between them is not moved
}

TEST_P(ThreadsTest, ManyBatchesFromManyThreadsShareTheKeptThreads) {
  const Classifier classifier = classifier_of(5);
  const Answers alone = one_by_one(classifier);
  std::vector<std::jthread> callers;
  for (unsigned caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (unsigned batch = 0; batch < 20; ++batch) {
        Answers answers(inputs_.size(), classifier.outputs());
        classifier.classify_batch(spans(), answers.results, answers.logits, answers.scores, 2 + (caller + batch) % 4);
        expect_same(answers, alone);
      }
    });
  }
}

std::size_t threads_of_this_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

TEST_P(ThreadsTest, ThreadsAreKeptBetweenBatchesAndEndWithTheLastCopy) {
  const std::size_t before = threads_of_this_process();
  {
    const Classifier classifier = classifier_of(5);
    const Classifier copy = classifier;  // NOLINT(performance-unnecessary-copy-initialization)
    std::vector<Result> results(inputs_.size());
    for (int batch = 0; batch < 10; ++batch) {
      classifier.classify_batch(spans(), results, {}, {}, 4);
      copy.classify_batch(spans(), results, {}, {}, 3);
      EXPECT_EQ(threads_of_this_process(), before + 3);
    }
    classifier.classify_batch(spans(), results, {}, {}, 6);
    EXPECT_EQ(threads_of_this_process(), before + 5);
  }
  // A thread that was joined may stay in the list for a moment.
  for (int wait = 0; threads_of_this_process() > before && wait < 1000; ++wait) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(threads_of_this_process(), before);
}

#if !defined(__SANITIZE_THREAD__)  // which lets nobody start threads behind a fork
TEST_P(ThreadsTest, AChildProcessStartsThreadsOfItsOwn) {
  const std::vector<std::span<const std::byte>> inputs = spans();
  std::optional<Classifier> classifier(classifier_of(6));
  const Answers alone = one_by_one(*classifier);
  Answers batch(inputs_.size(), classifier->outputs());
  classifier->classify_batch(inputs, batch.results, batch.logits, batch.scores, 4);
  const pid_t child = fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    alarm(20);  // rather than a test that never ends
    Answers again(inputs_.size(), classifier->outputs());
    classifier->classify_batch(inputs, again.results, again.logits, again.scores, 4);
    const bool same = again.logits == alone.logits && threads_of_this_process() == 4;
    classifier.reset();
    _exit(same ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  classifier->classify_batch(inputs, batch.results, batch.logits, batch.scores, 4);
  expect_same(batch, alone);
}

TEST_P(ThreadsTest, AChildProcessMayDestroyWhatItNeverUsed) {
  std::optional<Classifier> classifier(classifier_of(6));
  std::vector<Result> results(inputs_.size());
  classifier->classify_batch(spans(), results, {}, {}, 4);
  const pid_t child = fork();
  ASSERT_NE(child, -1);
  if (child == 0) {
    alarm(20);
    classifier.reset();  // would wait for ever for the parent's threads
    _exit(0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}
#endif

TEST_P(ThreadsTest, AClassifierMayBeMoved) {
  Classifier first = classifier_of(8);
  const Answers before = one_by_one(first);
  Classifier second(std::move(first));
  expect_same(one_by_one(second), before);
  Classifier third = classifier_of(9);
  third = std::move(second);
  expect_same(one_by_one(third), before);
}

}  // namespace
}  // namespace bytecnn
