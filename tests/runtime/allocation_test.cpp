// Classification allocates nothing: a program of its own, because it replaces the global operator new.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  const std::size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
}

void* counted_or_throw(std::size_t bytes, std::size_t alignment) {
  if (void* memory = counted(bytes, alignment)) return memory;
  throw std::bad_alloc();
}

constexpr std::size_t usual = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t bytes) {
  return counted_or_throw(bytes, usual);
}
void* operator new[](std::size_t bytes) {
  return counted_or_throw(bytes, usual);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, usual);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, usual);
}
void* operator new(std::size_t bytes, std::align_val_t a) {
  return counted_or_throw(bytes, std::size_t(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a) {
  return counted_or_throw(bytes, std::size_t(a));
}
void* operator new(std::size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
  return counted(bytes, std::size_t(a));
}
void* operator new[](std::size_t bytes, std::align_val_t a, const std::nothrow_t&) noexcept {
  return counted(bytes, std::size_t(a));
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  std::free(memory);
}

namespace bytecnn {
namespace {

// What says that it does not throw is noexcept by type; what kernels may call is checked on their objects.
static_assert(noexcept(std::declval<const Classifier&>().classify(std::string_view())));
static_assert(noexcept(std::declval<const Classifier&>().classify(std::span<const std::byte>(), std::span<float>())));
static_assert(noexcept(std::declval<const Classifier&>().decide(std::span<const float>())));
static_assert(noexcept(std::declval<Stream&>().push(std::string_view())));
static_assert(noexcept(std::declval<const Stream&>().classify()));
static_assert(noexcept(std::declval<Stream&>().reset()));
static_assert(std::is_trivially_copyable_v<Result>);

std::vector<Isa> vector_isas() {
  std::vector<Isa> isas = supported_isas();
  isas.pop_back();  // the reference allocates, and says so
  return isas;
}

/// Allocations of one call of each kind.
std::uint64_t allocations_of_calls(const Classifier& classifier, const testing::Bytes& input,
                                   std::vector<float>& logits, std::vector<float>& scores) {
  const std::uint64_t before = allocations;
  static_cast<void>(classifier.classify(std::span<const std::byte>(input)));
  static_cast<void>(classifier.classify("text"));
  const Result result = classifier.classify(std::span<const std::byte>(input), logits, scores);
  static_cast<void>(classifier.label_name(result));
  classifier.classify("text", logits);
  return allocations - before;
}

TEST(AllocationTest, TheCounterCounts) {
  const std::uint64_t before = allocations;
  std::vector<int> values(100);
  EXPECT_EQ(allocations - before, 1U);
}

TEST(AllocationTest, ClassificationAllocatesNothingOnAnyModelAndAnyLength) {
  for (const Isa isa : vector_isas()) {
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
      const Architecture architecture = testing::random_architecture(seed);
      const Classifier classifier(testing::with_random_weights(architecture, seed), isa);
      std::vector<float> logits(classifier.outputs()), scores(classifier.outputs());
      // Where the working memory does not fit the stack, the thread's buffer is made by the first call.
      if (!classifier.working_memory_on_stack()) static_cast<void>(classifier.classify("first"));
      for (const std::size_t length : {0U, 1U, 30U, 1000U}) {
        const testing::Bytes input = testing::random_bytes(length, seed);
        ASSERT_EQ(allocations_of_calls(classifier, input, logits, scores), 0U)
            << to_string(isa) << ": " << testing::describe(architecture);
      }
    }
  }
}

TEST(AllocationTest, FixedPointAllocatesNothing) {
  Architecture architecture;
  architecture.embed_dim = 4;
  ConvLayer layer;
  layer.filters = 40;
  layer.kernel_size = 3;
  layer.pad_left = layer.pad_right = 1;
  layer.activation = {Activation::Kind::relu};
  architecture.conv_layers = {layer};
  architecture.dense_layers = {{128, {Activation::Kind::relu}}};
  architecture.outputs = 1;
  for (const Isa isa : vector_isas()) {
    for (const Arithmetic arithmetic : {Arithmetic::int32, Arithmetic::int16}) {
      const Classifier classifier(testing::with_random_weights(architecture, 1), ClassifierOptions{isa, arithmetic});
      std::vector<float> logits(classifier.outputs()), scores(classifier.outputs());
      for (const std::size_t length : {0U, 1U, 30U, 1000U}) {
        ASSERT_EQ(allocations_of_calls(classifier, testing::random_bytes(length, 1), logits, scores), 0U)
            << to_string(isa) << ' ' << to_string(arithmetic);
      }
    }
  }
}

/// Batches of such a model look windows up.
Architecture looked_up() {
  ConvLayer layer;
  layer.filters = 24;
  layer.kernel_size = 3;
  layer.pad_left = layer.pad_right = 1;
  layer.activation.kind = Activation::Kind::relu;
  Architecture a;
  a.embed_dim = 6;
  a.conv_layers = {layer, layer};
  a.outputs = 1;
  return a;
}

TEST(AllocationTest, ABatchOnOneThreadAllocatesWhileItLearnsAndNeverAgain) {
  const Architecture a = looked_up();
  const testing::Bytes text = testing::random_bytes(500, 1);
  const std::vector<std::span<const std::byte>> inputs(600, text);
  std::vector<Result> results(inputs.size());
  std::vector<float> logits(inputs.size());
  for (const Isa isa : vector_isas()) {
    const Classifier classifier(testing::with_random_weights(a, 1), isa);
    ASSERT_TRUE(classifier.has_bulk_plan());
    std::uint64_t before = allocations;
    classifier.classify_batch(inputs, results, logits, {}, 1);
    EXPECT_GT(allocations - before, 0U);
    before = allocations;
    classifier.classify_batch(inputs, results, logits, {}, 1);
    classifier.classify_batch(std::span(inputs).first(3), std::span(results).first(3), {}, {}, 1);
    EXPECT_EQ(allocations - before, 0U) << to_string(isa);
  }
}

TEST(AllocationTest, WindowsThatTheModelStatesAreUsedOnceBatchesHaveBroughtFourKilobytes) {
  Model model = testing::with_random_weights(looked_up(), 1);
  const testing::Bytes text = testing::random_bytes(500, 1);
  const std::vector<std::span<const std::byte>> inputs(20, text);
  std::vector<Result> results(inputs.size());
  const auto allocations_of = [&](const Classifier& classifier, std::size_t count) {
    const std::uint64_t before = allocations;
    classifier.classify_batch(std::span(inputs).first(count), std::span(results).first(count), {}, {}, 1);
    return allocations - before;
  };
  for (const Isa isa : vector_isas()) {
    model.frequent_windows = {};
    const Classifier without(model, isa);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(allocations_of(without, 10), 0U) << "too little to learn from";
    FrequentWindowCounter counter(model.architecture);
    counter.count(text);
    model.frequent_windows = counter.most_frequent(1000);
    const Classifier with(model, isa);
    EXPECT_EQ(allocations_of(with, 4), 0U) << to_string(isa);
    EXPECT_EQ(allocations_of(with, 4), 0U) << to_string(isa);
    EXPECT_GT(allocations_of(with, 1), 0U) << to_string(isa);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(allocations_of(with, 20), 0U) << to_string(isa);
    static_cast<void>(with.classify(std::span<const std::byte>(text)));
    // Four times as much text as the statement stands for is learned from.
    const std::vector<std::span<const std::byte>> more(140, text);
    std::vector<Result> many(more.size());
    const std::uint64_t before = allocations;
    with.classify_batch(more, many, {}, {}, 1);
    EXPECT_GT(allocations - before, 0U) << to_string(isa);
  }
}

TEST(AllocationTest, AStreamAllocatesWhenItIsMadeAndNeverAgain) {
  for (const Isa isa : vector_isas()) {
    for (std::uint32_t seed = 0; seed < 40; ++seed) {
      const Architecture architecture = testing::random_architecture(seed);
      const Classifier classifier(testing::with_random_weights(architecture, seed), isa);
      std::vector<float> logits(classifier.outputs()), scores(classifier.outputs());
      const testing::Bytes input = testing::random_bytes(1000, seed);
      for (const Strategy strategy : {Strategy::truncate, Strategy::average, Strategy::attention}) {
        Stream stream(classifier, strategy);
        const std::uint64_t before = allocations;
        for (const std::size_t piece : {1U, 30U, 1000U}) {
          stream.push(std::span(input).first(piece));
          static_cast<void>(stream.classify());
          stream.classify(logits, scores);
        }
        stream.reset();
        stream.push("text");
        ASSERT_EQ(allocations - before, 0U) << to_string(isa) << ": " << testing::describe(architecture);
      }
    }
  }
}

TEST(AllocationTest, ModelsOfUpTo70ChannelsWorkOnTheStack) {
  for (const Isa isa : vector_isas()) {
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
      const Architecture architecture = testing::random_architecture(seed);
      const Classifier classifier(testing::with_random_weights(architecture, seed), isa);
      EXPECT_TRUE(classifier.working_memory_on_stack())
          << to_string(isa) << ": " << testing::describe(architecture) << "\n"
          << classifier.plan_description();
    }
  }
}

TEST(AllocationTest, AModelTooWideForTheStackAllocatesOnAThreadsFirstCallOnly) {
  Architecture a;
  a.embed_dim = 4;
  ConvLayer wide;
  wide.filters = 3000;
  wide.kernel_size = 3;
  ConvLayer narrow = wide;
  narrow.filters = 8;
  a.conv_layers = {wide, narrow};
  a.outputs = 1;
  a.max_len = 8;
  for (const Isa isa : vector_isas()) {
    const Classifier classifier(testing::with_random_weights(a, 1), isa);
    ASSERT_FALSE(classifier.working_memory_on_stack());
    std::vector<float> logits(1), scores(1);
    const testing::Bytes input = testing::random_bytes(6, 1);
    EXPECT_LE(allocations_of_calls(classifier, input, logits, scores), 1U);
    EXPECT_EQ(allocations_of_calls(classifier, input, logits, scores), 0U);
  }
}

}  // namespace
}  // namespace bytecnn
