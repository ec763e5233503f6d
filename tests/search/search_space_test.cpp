// Which structures are tried, and in which order.

#include "search/search_space.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "random_original.hpp"
#include "search/neighbours.hpp"

namespace bytecnn::exporter::testing {
namespace {

Original with_sources(const std::map<std::string, std::string>& sources) {
  Original original = two_layer_original(1);
  original.sources = sources;
  return original;
}

RecordedReference one_record(std::size_t size = 20) {
  RecordedReference reference;
  reference.records = {{std::vector<std::byte>(size, std::byte{'x'}), {0.5}}};
  return reference;
}

TEST(SearchSpace, HoldsOneStructureWhereNothingIsOpen) {
  const SearchSpace space =
      search_space(with_sources({{"pooling", "stated"}, {"max_len", "torchscript"}}), one_record());
  EXPECT_EQ(space.size(), 1);
  EXPECT_EQ(space.highest_price(), 0U);
  EXPECT_TRUE(space.open_keys.empty());
}

TEST(SearchSpace, OpensALayerByItself) {
  const SearchSpace space =
      search_space(with_sources({{"conv1.stride", "stated"}, {"conv2.stride", "default"}}), one_record());
  EXPECT_EQ(space.layers[0].geometries.size(), 1U);
  EXPECT_GT(space.layers[1].geometries.size(), 1U);
  EXPECT_EQ(space.open_keys, (std::vector<std::string>{"conv2.stride"}));
}

TEST(SearchSpace, GuessesByNumbersAreOpenAsWell) {
  EXPECT_EQ(search_space(with_sources({{"batch_norm_position", "sequential"}}), one_record()).layers[0].norms.size(),
            2U);
}

TEST(SearchSpace, TriesTheUsualFirst) {
  const SearchSpace space = search_space(
      with_sources({{"padding", "default"}, {"activation", "default"}, {"batch_norm_eps", "default"}}), one_record());
  const Geometry& first = space.layers[1].geometries.front().value;  // kernel 4
  EXPECT_EQ(first.left, 1U);
  EXPECT_EQ(first.right, 2U);
  EXPECT_EQ(space.layers[0].geometries.front().price, 0U);
  EXPECT_EQ(space.layers[0].activations.front().value.kind, Activation::Kind::relu);
  EXPECT_EQ(space.layers[0].norms.front().value.eps, 1e-5);
}

TEST(SearchSpace, ChargesNothingForWhatTheLayerBeforeHas) {
  const Priced<Activation> gelu{{Activation::Kind::gelu}, 2};
  EXPECT_EQ(price_of(gelu, nullptr), 2U);
  EXPECT_EQ(price_of(gelu, &gelu.value), 0U);
  const Geometry twice{1, 2, 2, 2, PaddingRule::same};
  const Geometry fourfold{1, 4, 4, 4, PaddingRule::same};
  EXPECT_EQ(price_of({fourfold, 3}, &twice), 0U) << "dilations usually double";
}

TEST(SearchSpace, TakesThePaddingFromARecordingThatStatesIt) {
  RecordedReference reference = one_record();
  reference.max_len = 333;
  reference.pad_token = std::optional<std::uint32_t>(7);
  const SearchSpace space = search_space(with_sources({{"max_len", "default"}, {"pad_token", "default"}}), reference);
  ASSERT_EQ(space.inputs.size(), 1U);
  EXPECT_EQ(space.inputs[0].value, (InputForm{333, 7}));
}

TEST(SearchSpace, ARecordingWithoutPaddingLeavesOpenWhetherTheModelPads) {
  RecordedReference reference = one_record();
  reference.pad_token = std::optional<std::uint32_t>();
  const SearchSpace space = search_space(with_sources({{"max_len", "default"}, {"pad_token", "default"}}), reference);
  EXPECT_FALSE(space.inputs.front().value.pad_token);
  EXPECT_EQ(space.inputs.front().price, 0U);
  EXPECT_TRUE(std::any_of(space.inputs.begin(), space.inputs.end(), [](const auto& form) {
    return form.value == InputForm{256, 0};
  }));
}

TEST(SearchSpace, LengthsComeFromHintsAndFromRecordedInputs) {
  const SearchSpace space = search_space(with_sources({{"max_len", "default"}}), one_record(77),
                                         {{"config.seq_len", "123"}, {"config.hidden", "999"}});
  const auto has = [&](std::uint32_t length) {
    return std::any_of(space.inputs.begin(), space.inputs.end(),
                       [&](const auto& form) { return form.value.max_len == length; });
  };
  EXPECT_TRUE(has(123));
  EXPECT_TRUE(has(77));
  EXPECT_TRUE(has(512));
  EXPECT_FALSE(has(999));
}

TEST(SearchSpace, NeighboursDifferInOneOrTwoProperties) {
  const Original original = with_sources({{"activation", "default"}, {"pooling", "default"}});
  const SearchSpace space = search_space(original, one_record());
  const auto all = neighbours(space, original.architecture);
  // 10 other activations in two layers and 2 other poolings: 22 single changes, 10 * 10 + 2 * 10 * 2 double ones.
  EXPECT_EQ(all.size(), 22U + 140U);
  for (const PricedArchitecture& one : all) EXPECT_FALSE(one.architecture == original.architecture);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
