// The bound for every input, against inputs that were searched to violate it.

#include "verify/bound/input_bound.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "verify/corpus.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// Whether the pooling is left with columns at all.
bool usable(const Architecture& architecture) {
  try {
    validate(architecture);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Differences between an export and its original in libtorch, in double.
class Opponent {
 public:
  Opponent(const Original& original, const Model& model) : runner_(torch_for_tests().rebuild(original)), model_(model) {
    for (const Isa isa : supported_isas()) {
      if (isa != Isa::reference) classifiers_.emplace_back(model, isa);
    }
    shortest_ = shortest_input(model.architecture);
  }

  struct Differences {
    double fold = 0;
    std::vector<double> engines;
    double engine_score = 0;
    [[nodiscard]] double largest_engine() const { return *std::max_element(engines.begin(), engines.end()); }
  };

  Differences run(const Bytes& input) {
    Differences found;
    const auto expected = runner_->logits(input);
    const auto scores = reference_scores(model_.architecture.output, expected);
    const auto folded = reference_logits(model_, input);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      found.fold = std::max(found.fold, std::abs(expected[i] - folded[i]));
    }
    std::vector<float> logits(expected.size());
    std::vector<float> engine_scores(expected.size());
    for (const auto& classifier : classifiers_) {
      EXPECT_EQ(classifier.classify(input, logits, engine_scores).status, Status::ok);
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i) {
        worst = std::max(worst, std::abs(expected[i] - static_cast<double>(logits[i])));
        found.engine_score = std::max(found.engine_score, std::abs(scores[i] - static_cast<double>(engine_scores[i])));
      }
      found.engines.push_back(worst);
    }
    return found;
  }

  /// Climbs by changing bytes, runs of bytes and the length, and keeps what makes `size` larger.
  template <class Size>
  Bytes climb(std::mt19937& random, int steps, Size size) {
    const std::size_t longest = model_.architecture.max_len + 2;
    Bytes best(std::max<std::size_t>(shortest_, random() % longest));
    for (auto& byte : best) byte = static_cast<std::byte>(random());
    double most = size(run(best));
    for (int step = 0; step < steps; ++step) {
      Bytes next = best;
      const std::size_t kind = random() % 8;
      if (kind == 0) next.resize(std::max<std::size_t>(shortest_, random() % longest), std::byte{0});
      if (next.empty()) continue;
      const std::size_t begin = random() % next.size();
      const std::size_t count = kind < 3 ? next.size() - begin : 1 + random() % 3;
      const std::size_t end = std::min(next.size(), begin + count);
      const auto fill = static_cast<std::byte>(random());
      for (std::size_t i = begin; i < end; ++i) next[i] = kind < 4 ? fill : static_cast<std::byte>(random());
      const double found = size(run(next));
      if (found > most) {
        most = found;
        best = std::move(next);
      }
    }
    return best;
  }

 private:
  std::unique_ptr<OriginalRunner> runner_;
  const Model& model_;
  std::vector<Classifier> classifiers_;
  std::size_t shortest_ = 0;
};

/// The bound and the worst that climbing found.
void expect_holds(const Bound& bound, const Opponent::Differences& found) {
  ASSERT_EQ(bound.unavailable, "");
  EXPECT_LE(found.fold, bound.fold.worst_logit);
  ASSERT_EQ(found.engines.size(), bound.engines.size());
  double score = 0;
  for (std::size_t i = 0; i < found.engines.size(); ++i) {
    EXPECT_LE(found.engines[i], bound.engines[i].worst_logit) << bound.engines[i].name;
    ASSERT_EQ(bound.engines[i].probable_logits.size(), bound.engines[i].logits.size());
    EXPECT_LE(found.engines[i], bound.engines[i].probable_logit) << bound.engines[i].name;
    EXPECT_LE(bound.engines[i].probable_logit, bound.engines[i].worst_logit);
    score = std::max(score, bound.engines[i].score);
  }
  EXPECT_LE(found.engine_score, score);
}

void challenge(const Original& original, const Model& model, const Bound& bound, std::uint32_t seed, int steps) {
  Opponent opponent(original, model);
  std::mt19937 random(seed);
  const auto engine = [](const Opponent::Differences& found) { return found.largest_engine(); };
  const auto fold = [](const Opponent::Differences& found) { return found.fold; };
  expect_holds(bound, opponent.run(opponent.climb(random, steps, engine)));
  expect_holds(bound, opponent.run(opponent.climb(random, steps / 2, fold)));
}

TEST(BoundForEveryInput, HoldsAgainstInputsThatWereSearchedToViolateIt) {
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    const Original original = random_original(seed);
    if (!usable(original.architecture)) continue;
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(original.architecture));
    const Model model = fold(original);
    challenge(original, model, bound_every_input(original, model, false), seed, 60);
  }
}

/// Wide layers run by tables with shared tails, by Winograd's algorithm and in several register blocks.
Original wide_original(std::uint32_t seed, std::uint32_t layers, std::uint32_t kernel) {
  Architecture architecture;
  architecture.embed_dim = 5;
  architecture.max_len = 48;
  for (std::uint32_t i = 0; i < layers; ++i) {
    ConvLayer layer;
    layer.filters = i == 0 ? 20 : 24;
    layer.kernel_size = kernel;
    layer.pad_left = (kernel - 1) / 2;
    layer.pad_right = kernel - 1 - layer.pad_left;
    layer.activation.kind = Activation::Kind::relu;
    layer.batch_norm = BatchNormSpec{};
    architecture.conv_layers.push_back(layer);
  }
  architecture.dense_layers = {{12, Activation{Activation::Kind::relu}}};
  architecture.outputs = 3;
  architecture.output = Output::softmax;
  return with_random_weights(architecture, seed);
}

TEST(BoundForEveryInput, HoldsWhereWinogradsAlgorithmRuns) {
  std::size_t seen = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    const Original original = wide_original(seed, 2 + seed % 2, seed % 2 == 0 ? 3 : 5);
    const Model model = fold(original);
    const Bound bound = bound_every_input(original, model, false);
    seen += std::any_of(bound.engines.begin(), bound.engines.end(), [](const auto& side) { return side.winograd; });
    challenge(original, model, bound, seed, 40);
  }
  EXPECT_GT(seen, 0U) << "no plan uses Winograd's algorithm any more: choose other models";
}

TEST(BoundForEveryInput, IsSharperWithAllWindowsAndStillHolds) {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const Original original = wide_original(seed, 1, 3);
    const Model model = fold(original);
    const Bound analysis = bound_every_input(original, model, false);
    const Bound windows = bound_every_input(original, model, true);
    EXPECT_EQ(windows.windows, 257ULL * 257 * 257) << "256 bytes and the outside";
    EXPECT_LE(windows.fold.worst_logit, analysis.fold.worst_logit);
    EXPECT_LE(windows.engines.front().worst_logit, analysis.engines.front().worst_logit);
    EXPECT_LT(windows.layers.front().engine_error, 0.8 * analysis.layers.front().engine_error);
    challenge(original, model, windows, seed, 60);
  }
}

TEST(BoundForEveryInput, RunsTheFirstLayersWindowsOfDeepModelsAndSaysWhereItRunsNone) {
  const Original deep = wide_original(1, 2, 3);
  const Bound windows = bound_every_input(deep, fold(deep), true);
  EXPECT_GT(windows.windows, 0U);
  EXPECT_EQ(windows.not_windows, "");
  const Original longer = wide_original(1, 1, 5);
  const Bound analysis = bound_every_input(longer, fold(longer), true);
  EXPECT_EQ(analysis.windows, 0U);
  EXPECT_NE(analysis.not_windows.find("5 taps"), std::string::npos);
  EXPECT_EQ(bound_every_input(longer, fold(longer), false).not_windows, "") << "nobody asked";
}

TEST(BoundForEveryInput, GrowsWithAWrongWeight) {
  const Original original = two_layer_original(3);
  Model model = fold(original);
  const Bound right = bound_every_input(original, model, false);
  model.weights.conv[1].weight[7] += 0.01F;
  const Bound wrong = bound_every_input(original, model, false);
  EXPECT_GT(wrong.fold.worst_logit, 100 * right.fold.worst_logit);
  challenge(original, model, wrong, 3, 60);
}

/// The first layer alone: one window, its column handed out as logits by an identity that rounds nothing.
Original one_window(std::uint32_t seed, std::uint32_t kernel) {
  Original original = wide_original(seed, 1, kernel);
  Architecture& architecture = original.architecture;
  architecture.max_len = kernel;
  architecture.pad_token.reset();
  architecture.conv_layers[0].pad_left = architecture.conv_layers[0].pad_right = 0;
  architecture.pooling = Pooling::max;
  architecture.dense_layers.clear();
  architecture.outputs = architecture.conv_layers[0].filters;
  architecture.output = Output::none;
  original.dense.clear();
  original.output.weight.assign(std::size_t{architecture.outputs} * architecture.outputs, 0.0);
  for (std::size_t i = 0; i < architecture.outputs; ++i) original.output.weight[i * architecture.outputs + i] = 1;
  original.output.bias.assign(architecture.outputs, 0.0);
  return original;
}

TEST(BoundForEveryInput, IsReachedByTheFirstLayersWindows) {
  for (const std::uint32_t kernel : {1U, 2U, 3U}) {
    const Original original = one_window(kernel, kernel);
    const Model model = fold(original);
    const Bound bound = bound_every_input(original, model, true);
    Opponent opponent(original, model);
    std::mt19937 random(kernel);
    const auto fold_error = [](const Opponent::Differences& found) { return found.fold; };
    double found = 0;
    for (int start = 0; start < 8; ++start) {
      found = std::max(found, fold_error(opponent.run(opponent.climb(random, 400, fold_error))));
    }
    EXPECT_LE(found, bound.layers.front().fold_error);
    EXPECT_GT(found, 0.6 * bound.layers.front().fold_error) << "kernel " << kernel;
    challenge(original, model, bound, kernel, 400);
  }
}

TEST(BoundForEveryInput, IsWithinThousandsOfWhatASearchFinds) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const Original original = two_layer_original(seed);
    const Model model = fold(original);
    const Bound bound = bound_every_input(original, model, false);
    Opponent opponent(original, model);
    std::mt19937 random(seed);
    const auto engine = [](const Opponent::Differences& found) { return found.largest_engine(); };
    const double found = engine(opponent.run(opponent.climb(random, 300, engine)));
    EXPECT_LT(bound.engines.front().worst_logit, 3000 * found);
    EXPECT_LT(bound.engines.front().probable_logit, 600 * found);
  }
}

TEST(ProbableBound, IsAFractionOfTheProofAndGrowsLessWithTheLayersWidth) {
  const auto share = [](const Original& original) {
    const Bound bound = bound_every_input(original, fold(original), false);
    return bound.engines.front().probable_logit / bound.engines.front().worst_logit;
  };
  EXPECT_LT(share(wide_original(1, 2, 5)), 0.5);
  Original wider = wide_original(1, 2, 3);
  for (ConvLayer& layer : wider.architecture.conv_layers) layer.filters = 64;
  wider.architecture.dense_layers[0].units = 64;
  EXPECT_LT(share(with_random_weights(wider.architecture, 1)), 0.2);
}

TEST(BoundForEveryInput, IsRefusedToAnotherArchitecture) {
  const Original original = two_layer_original(3);
  Model model = fold(original);
  model.architecture.pooling = Pooling::max;
  EXPECT_NE(bound_every_input(original, model, false).unavailable, "");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
