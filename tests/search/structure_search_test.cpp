// Structures are found again from their weights and a few recorded numbers.

#include "search/structure_search.hpp"

#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "original_columns.hpp"
#include "random_original.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// Inputs as the recording script writes them: edges, text, random bytes.
std::vector<std::vector<std::byte>> usual_inputs(std::uint32_t max_len) {
  std::mt19937 random(5);
  std::vector<std::vector<std::byte>> inputs{{}, {std::byte{'a'}}};
  for (const std::size_t size : {std::size_t{5}, std::size_t{20}, std::size_t{33}, std::size_t{max_len} - 1,
                                 std::size_t{max_len}, std::size_t{max_len} + 1, std::size_t{max_len} + 40}) {
    for (int i = 0; i < 2; ++i) {
      std::vector<std::byte> input(size);
      for (auto& byte : input) byte = static_cast<std::byte>(random() & 255U);
      inputs.push_back(std::move(input));
    }
  }
  return inputs;
}

RecordedReference record(const Original& original, const std::vector<std::vector<std::byte>>& inputs) {
  RecordedReference reference;
  for (const auto& input : inputs) {
    if (!long_enough(original.architecture, input.size())) continue;
    reference.records.push_back({input, original_logits(original, original.architecture, input)});
  }
  return reference;
}

RecordedReference record(const Original& original) {
  return record(original, usual_inputs(original.architecture.max_len));
}

/// What a state dict tells: sizes. Everything else is as the exporter would assume it.
Original forgotten(Original original) {
  Architecture& architecture = original.architecture;
  for (ConvLayer& layer : architecture.conv_layers) {
    layer.stride = layer.dilation = 1;
    layer.pad_left = layer.reach() / 2;
    layer.pad_right = layer.reach() - layer.pad_left;
    layer.activation = {Activation::Kind::relu};
    layer.residual = false;
    if (layer.batch_norm) layer.batch_norm = BatchNormSpec{};
  }
  for (DenseLayer& layer : architecture.dense_layers) layer.activation = {Activation::Kind::relu};
  const bool joined =
      architecture.pooling == Pooling::concat_avg_max || architecture.pooling == Pooling::concat_avg_max_std;
  if (!joined) architecture.pooling = Pooling::avg_max;
  architecture.max_len = 512;
  architecture.pad_token = 0;
  original.sources.clear();
  for (const char* key : {"stride", "dilation", "padding", "activation", "residual", "batch_norm_eps",
                          "batch_norm_position", "dense_activation", "max_len", "pad_token"}) {
    original.sources[key] = "default";
  }
  original.sources["pooling"] = joined ? "shapes" : "default";
  return original;
}

SearchResult search(const Original& original, const RecordedReference& reference, double seconds = 20) {
  return search_structures(original, reference, {},
                           {.seconds = seconds, .rival_seconds = 0.3, .threads = 2, .progress = {}});
}

/// The found structure computes what the sought one does, on inputs that were not recorded.
void expect_same(const Original& sought, const Architecture& found) {
  std::mt19937 random(77);
  for (const std::size_t size : {3U, 17U, 40U, 90U, 200U}) {
    std::vector<std::byte> input(size);
    for (auto& byte : input) byte = static_cast<std::byte>(random() & 255U);
    ASSERT_EQ(long_enough(found, size), long_enough(sought.architecture, size));
    if (!long_enough(found, size)) continue;
    const auto expected = original_logits(sought, sought.architecture, input);
    const auto logits = original_logits(sought, found, input);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(logits[i], expected[i], 1e-9);
  }
}

Architecture one_layer() {
  Architecture architecture;
  architecture.embed_dim = 5;
  ConvLayer layer;
  layer.filters = 9;
  layer.kernel_size = 3;
  layer.pad_left = layer.pad_right = 1;
  layer.activation.kind = Activation::Kind::relu;
  layer.batch_norm = BatchNormSpec{};
  architecture.conv_layers = {layer};
  architecture.dense_layers = {{7, {Activation::Kind::relu}}};
  architecture.outputs = 1;
  architecture.max_len = 48;
  return architecture;
}

void expect_found(const Architecture& architecture, std::uint32_t seed = 3) {
  const Original sought = with_random_weights(architecture, seed);
  RecordedReference reference = record(sought);
  reference.max_len = architecture.max_len;
  reference.pad_token = architecture.pad_token;
  const SearchResult result = search(forgotten(sought), reference);
  ASSERT_EQ(result.fits.size(), 1U) << describe(architecture) << "\ntried " << result.tried;
  EXPECT_LT(result.fits[0][0].worst, 1e-11);
  expect_same(sought, result.fits[0][0].architecture);
}

TEST(StructureSearch, FindsBatchNormBehindTheActivationWithAnotherEpsilon) {
  Architecture architecture = one_layer();
  architecture.conv_layers[0].batch_norm = BatchNormSpec{1e-3, BatchNormSpec::Position::after_activation};
  expect_found(architecture);
}

TEST(StructureSearch, FindsMaximumOnlyPooling) {
  Architecture architecture = one_layer();
  architecture.pooling = Pooling::max;
  expect_found(architecture);
}

TEST(StructureSearch, FindsThatInputsAreNotPadded) {
  Architecture architecture = one_layer();
  architecture.pad_token.reset();
  architecture.pooling = Pooling::avg;
  expect_found(architecture);
}

TEST(StructureSearch, FindsThePadTokenBehindTheBytes) {
  Architecture architecture = one_layer();
  architecture.vocab_size = 257;
  architecture.pad_token = 256;
  const Original sought = with_random_weights(architecture, 4);
  // Nothing is said of padding or length: 48 is none of the usual lengths, but inputs of that length were recorded.
  const SearchResult result = search(forgotten(sought), record(sought));
  ASSERT_EQ(result.fits.size(), 1U);
  EXPECT_EQ(result.fits[0][0].architecture.pad_token, 256U);
  EXPECT_EQ(result.fits[0][0].architecture.max_len, 48U);
}

TEST(StructureSearch, FindsValidPaddingStrideAndDilation) {
  Architecture architecture = one_layer();
  architecture.conv_layers[0].stride = 2;
  architecture.conv_layers[0].dilation = 2;
  architecture.conv_layers[0].pad_left = architecture.conv_layers[0].pad_right = 0;
  expect_found(architecture);
}

TEST(StructureSearch, FindsCausalPadding) {
  Architecture architecture = one_layer();
  architecture.conv_layers[0].kernel_size = 4;
  architecture.conv_layers[0].pad_left = 3;
  architecture.conv_layers[0].pad_right = 0;
  expect_found(architecture);
}

TEST(StructureSearch, FindsActivationsOfConvolutionsAndHead) {
  Architecture architecture = one_layer();
  architecture.conv_layers[0].activation = {Activation::Kind::leaky_relu, 0.1F};
  architecture.dense_layers[0].activation = {Activation::Kind::gelu};
  expect_found(architecture);
}

TEST(StructureSearch, FindsResidualBlocks) {
  Architecture architecture = one_layer();
  architecture.conv_layers.push_back(architecture.conv_layers[0]);
  architecture.conv_layers[1].residual = true;
  architecture.conv_layers[1].activation = architecture.conv_layers[0].activation = {Activation::Kind::silu};
  expect_found(architecture);
}

TEST(StructureSearch, FindsRandomStructures) {
  constexpr Activation::Kind kinds[] = {Activation::Kind::relu, Activation::Kind::gelu, Activation::Kind::silu,
                                        Activation::Kind::tanh, Activation::Kind::none};
  for (std::uint32_t seed = 1; seed <= 14; ++seed) {
    std::mt19937 random(seed * 131);
    const auto below = [&](std::uint32_t limit) { return static_cast<std::uint32_t>(random() % limit); };
    Architecture architecture = one_layer();
    if (below(3) == 0) architecture.vocab_size = 257;
    architecture.max_len = 32 + below(40);
    architecture.pad_token = architecture.vocab_size == 257 ? 256 : 0;
    if (below(4) == 0) architecture.pad_token.reset();
    const Activation activation{kinds[below(5)]};
    const std::uint32_t layers = 1 + below(2);
    architecture.conv_layers.resize(layers, architecture.conv_layers[0]);
    for (std::uint32_t i = 0; i < layers; ++i) {
      ConvLayer& layer = architecture.conv_layers[i];
      layer.filters = 6 + below(5);
      layer.kernel_size = 2 + below(4);
      layer.stride = below(4) == 0 ? 2 : 1;
      layer.dilation = below(4) == 0 ? 2 : 1;
      layer.activation = activation;
      const bool valid = below(3) == 0;
      layer.pad_left = valid ? 0 : layer.reach() / 2;
      layer.pad_right = valid ? 0 : layer.reach() - layer.pad_left;
      if (below(4) == 0) layer.batch_norm.reset();
      if (layer.batch_norm && below(2) == 0) layer.batch_norm->position = BatchNormSpec::Position::after_activation;
      if (layer.batch_norm && below(3) == 0) layer.batch_norm->eps = 1e-3;
    }
    constexpr Pooling poolings[] = {Pooling::avg_max, Pooling::max, Pooling::avg, Pooling::concat_avg_max};
    architecture.pooling = poolings[below(4)];
    architecture.outputs = 1 + below(3);
    SCOPED_TRACE(describe(architecture));
    expect_found(architecture, seed);
  }
}

TEST(StructureSearch, KeepsWhatIsStated) {
  Architecture architecture = one_layer();
  architecture.pooling = Pooling::max;
  const Original sought = with_random_weights(architecture, 6);
  RecordedReference reference = record(sought);
  reference.max_len = 48;
  reference.pad_token = architecture.pad_token;
  Original wrong = forgotten(sought);
  wrong.sources["pooling"] = "stated";  // avg_max, which is not what was recorded
  const SearchResult result = search(wrong, reference);
  EXPECT_TRUE(result.fits.empty());
  EXPECT_TRUE(result.exhausted);
  ASSERT_FALSE(result.nearest.empty());
  EXPECT_GT(result.nearest[0].worst, result.tolerance);
  for (const Structure& structure : result.nearest) EXPECT_EQ(structure.architecture.pooling, Pooling::avg_max);
}

TEST(StructureSearch, SaysWhichInputTellsWhatTheRecordingDoesNot) {
  const Original sought = with_random_weights(
      [] {
        Architecture architecture = one_layer();
        architecture.pad_token.reset();
        architecture.pooling = Pooling::max;
        return architecture;
      }(),
      8);
  // One text, shorter than any length: not whether inputs are cut, and hardly how they are padded.
  const std::string text = "a text of some thirty bytes, or so";
  const auto bytes = std::as_bytes(std::span(text));
  Original open = forgotten(sought);
  open.architecture.pad_token.reset();
  for (auto& [key, source] : open.sources) source = key == "padding" || key == "pooling" ? "default" : "stated";
  open.architecture.max_len = 48;
  const SearchResult result = search(open, record(sought, {{bytes.begin(), bytes.end()}}));
  ASSERT_GT(result.fits.size(), 1U) << "the ends of this text do not hold any maximum";
  ASSERT_EQ(result.telling.size(), result.fits.size() - 1);
  for (const TellingInput& telling : result.telling) {
    EXPECT_NE(telling.first_logits, telling.second_logits);
    EXPECT_FALSE(telling.description.empty());
  }
  // With that input recorded, the second reading is gone.
  const SearchResult more =
      search(open, record(sought, {{bytes.begin(), bytes.end()}, result.telling[0].input, {std::byte{'a'}}}));
  EXPECT_LT(more.fits.size(), result.fits.size());
}

TEST(StructureSearch, CountsStructuresThatComputeTheSameAsOne) {
  Architecture architecture = one_layer();
  architecture.conv_layers[0].stride = 2;
  architecture.conv_layers[0].pad_left = 1;
  architecture.conv_layers[0].pad_right = 1;  // with stride 2 and an even length no window reaches the right border
  const Original sought = with_random_weights(architecture, 9);
  RecordedReference reference = record(sought);
  reference.max_len = 48;
  reference.pad_token = architecture.pad_token;
  const SearchResult result = search(forgotten(sought), reference);
  ASSERT_EQ(result.fits.size(), 1U);
  expect_same(sought, result.fits[0][0].architecture);
}

TEST(StructureSearch, UnderstandsRecordedScores) {
  for (const bool softmax : {false, true}) {
    Architecture architecture = one_layer();
    architecture.outputs = softmax ? 3 : 1;
    const Original sought = with_random_weights(architecture, 10);
    RecordedReference reference = record(sought);
    for (Golden& golden : reference.records) {
      golden.logits = reference_scores(softmax ? Output::softmax : Output::sigmoid, golden.logits);
    }
    reference.max_len = 48;
    reference.pad_token = architecture.pad_token;
    Original found = forgotten(sought);
    found.sources["output"] = "default";
    const SearchResult result = search(found, reference);
    ASSERT_EQ(result.fits.size(), 1U);
    EXPECT_EQ(result.fits[0][0].recorded, softmax ? Recorded::softmax : Recorded::sigmoid);
    adopt(result, found);
    EXPECT_EQ(found.architecture.output, softmax ? Output::softmax : Output::sigmoid);
    EXPECT_EQ(found.sources["output"], "reference");
    EXPECT_EQ(found.sources["pooling"], "reference");
  }
}

TEST(StructureSearch, EndsInTime) {
  Architecture architecture = one_layer();
  architecture.conv_layers.resize(4, architecture.conv_layers[0]);
  const Original sought = with_random_weights(architecture, 11);
  RecordedReference reference = record(sought);
  for (Golden& golden : reference.records) golden.logits[0] += 1000;  // nothing gives that
  const SearchResult result = search(forgotten(sought), reference, 0.3);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.exhausted);
  EXPECT_TRUE(result.fits.empty());
  EXPECT_FALSE(result.nearest.empty());
  EXPECT_GT(result.tried, 0U);
  EXPECT_GT(result.possible, static_cast<double>(result.tried));
  EXPECT_LT(result.seconds, 10);
}

TEST(StructureSearch, RefusesARecordingOfAnotherModel) {
  const Original original = forgotten(with_random_weights(one_layer(), 12));
  RecordedReference reference;
  reference.records = {{{std::byte{'a'}}, {1.0, 2.0}}};
  try {
    static_cast<void>(search(original, reference));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid);
    EXPECT_EQ(error.expected(), "1");
    EXPECT_EQ(error.found(), "2");
  }
}

TEST(StructureSearch, RefusesARecordingThatWasMadeWithAnotherLengthThanIsStated) {
  Original original = forgotten(with_random_weights(one_layer(), 12));
  RecordedReference reference = record(original);
  reference.max_len = 48;
  original.sources["max_len"] = "stated";
  EXPECT_THROW(static_cast<void>(search(original, reference)), Error);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
