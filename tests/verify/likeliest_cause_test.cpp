// Known mistakes, made on purpose on random models, are named.

#include "verify/cause/likeliest_cause.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

std::vector<Bytes> some_inputs(const Architecture& architecture, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<Bytes> inputs;
  for (const std::size_t length : {std::size_t{0}, std::size_t{5}, std::size_t{21}, std::size_t{architecture.max_len},
                                   std::size_t{architecture.max_len} + 9}) {
    Bytes input(length);
    for (auto& byte : input) byte = static_cast<std::byte>(random());
    inputs.push_back(std::move(input));
  }
  return inputs;
}

/// A mistake, on the original before it is exported or on the export. False: it does not apply to this model.
struct KnownMistake {
  std::string trap;
  std::function<bool(Original&, std::mt19937&)> before;
  std::function<bool(Model&, std::mt19937&)> after;
};

/// A conv layer with batch norm, by chance.
std::optional<std::size_t> normed(const Original& original, std::mt19937& random) {
  std::vector<std::size_t> layers;
  for (std::size_t i = 0; i < original.conv.size(); ++i) {
    if (original.architecture.conv_layers[i].batch_norm) layers.push_back(i);
  }
  if (layers.empty()) return std::nullopt;
  return layers[random() % layers.size()];
}

template <class Change>
std::function<bool(Original&, std::mt19937&)> on_norm(Change change) {
  return [change](Original& o, std::mt19937& random) {
    const auto layer = normed(o, random);
    if (layer) change(o, *layer);
    return layer.has_value();
  };
}

ConvLayer& any_layer(Original& o, std::mt19937& random) {
  return o.architecture.conv_layers[random() % o.architecture.conv_layers.size()];
}

const std::vector<KnownMistake>& known_mistakes() {
  using Position = BatchNormSpec::Position;
  static const std::vector<KnownMistake> mistakes{
      {"eps",
       on_norm([](Original& o, std::size_t i) {
         auto& eps = o.architecture.conv_layers[i].batch_norm->eps;
         eps = eps == 1e-5 ? 1e-3 : 1e-5;
       }),
       {}},
      {"eps", on_norm([](Original& o, std::size_t i) { o.architecture.conv_layers[i].batch_norm->eps = 1e-6; }), {}},
      {"batch_norm_position",
       on_norm([](Original& o, std::size_t i) {
         auto& position = o.architecture.conv_layers[i].batch_norm->position;
         position = position == Position::before_activation ? Position::after_activation : Position::before_activation;
       }),
       {}},
      {"batch_norm_dropped",
       on_norm([](Original& o, std::size_t i) { o.architecture.conv_layers[i].batch_norm.reset(); }),
       {}},
      {"running_mean_ignored",
       on_norm([](Original& o, std::size_t i) {
         std::fill(o.conv[i].batch_norm.mean.begin(), o.conv[i].batch_norm.mean.end(), 0.0);
       }),
       {}},
      {"bias_ignored",
       [](Original& o, std::mt19937& random) {
         auto& bias = o.conv[random() % o.conv.size()].bias;
         const bool there = !bias.empty();
         bias.clear();
         return there;
       },
       {}},
      {"kernel_flipped",
       [](Original& o, std::mt19937& random) {
         const std::size_t i = random() % o.conv.size();
         const auto kernel = static_cast<std::ptrdiff_t>(o.architecture.conv_layers[i].kernel_size);
         auto& weight = o.conv[i].weight;
         for (auto at = weight.begin(); at != weight.end(); at += kernel) std::reverse(at, at + kernel);
         return kernel > 1;
       },
       {}},
      {"pooling",
       [](Original& o, std::mt19937& random) {
         constexpr Pooling plain[] = {Pooling::max, Pooling::avg, Pooling::avg_max};
         const bool joined =
             o.architecture.pooling == Pooling::concat_avg_max || o.architecture.pooling == Pooling::concat_avg_max_std;
         const Pooling other = plain[random() % 3];
         if (joined || other == o.architecture.pooling) return false;
         o.architecture.pooling = other;
         return true;
       },
       {}},
      {"padding",
       [](Original& o, std::mt19937& random) {
         ConvLayer& layer = any_layer(o, random);
         const bool moved = !layer.residual && layer.pad_left + layer.pad_right != 0;
         layer.pad_left = layer.pad_right = 0;
         return moved;
       },
       {}},
      {"padding_side",
       [](Original& o, std::mt19937& random) {
         ConvLayer& layer = any_layer(o, random);
         std::swap(layer.pad_left, layer.pad_right);
         return layer.pad_left != layer.pad_right;
       },
       {}},
      {"pad_token",
       [](Original& o, std::mt19937&) {
         if (!o.architecture.pad_token) return false;
         o.architecture.pad_token = 32;
         return true;
       },
       {}},
      {"not_padded",
       [](Original& o, std::mt19937&) {
         const bool padded = o.architecture.pad_token.has_value();
         o.architecture.pad_token.reset();
         return padded;
       },
       {}},
      {"max_len",
       [](Original& o, std::mt19937&) {
         o.architecture.max_len += 8;
         return true;
       },
       {}},
      {"activation",
       [](Original& o, std::mt19937& random) {
         auto& kind = any_layer(o, random).activation.kind;
         kind = kind == Activation::Kind::relu ? Activation::Kind::gelu : Activation::Kind::relu;
         return true;
       },
       {}},
      {"residual",
       [](Original& o, std::mt19937&) {
         for (auto& layer : o.architecture.conv_layers) {
           if (!layer.residual) continue;
           layer.residual = false;
           return true;
         }
         return false;
       },
       {}},
      {"single_weight",
       {},
       [](Model& m, std::mt19937& random) {
         auto& weight = m.weights.conv[random() % m.weights.conv.size()].weight;
         float& number = weight[random() % weight.size()];
         number += number < 0 ? -0.1F : 0.1F;
         return true;
       }},
      {"single_bias",
       {},
       [](Model& m, std::mt19937& random) {
         auto& bias = m.weights.conv[random() % m.weights.conv.size()].bias;
         bias[random() % bias.size()] += 0.05F;
         return true;
       }},
      {"channels_permuted",
       {},
       [](Model& m, std::mt19937& random) {
         auto& conv = m.weights.conv[random() % m.weights.conv.size()];
         const auto row = static_cast<std::ptrdiff_t>(conv.weight.size() / conv.bias.size());
         std::swap_ranges(conv.weight.begin(), conv.weight.begin() + row, conv.weight.begin() + row);
         std::swap(conv.bias[0], conv.bias[1]);
         return true;
       }},
      {"rounded_to_float16",
       {},
       [](Model& m, std::mt19937&) {
         for (float& number : m.weights.embedding) {
           number = std::bit_cast<float>((std::bit_cast<std::uint32_t>(number) + 0xFFFU) & ~0x1FFFU);
         }
         return true;
       }},
      {"unrelated_weights",
       {},
       [](Model& m, std::mt19937& random) {
         for (float& number : m.weights.embedding) number = static_cast<float>(random() % 2000) / 1000.0F - 1.0F;
         return true;
       }},
  };
  return mistakes;
}

struct Tally {
  std::size_t tried = 0, named = 0, first = 0;
  std::string missed;
};

/// Every known mistake on every one of many random models.
Tally tally_of_exports(std::uint32_t models) {
  Tally tally;
  for (std::uint32_t seed = 1; seed <= models; ++seed) {
    const Original original = random_original(seed);
    std::mt19937 random(seed);
    for (const KnownMistake& mistake : known_mistakes()) {
      Original mistaken = original;
      Model model;
      try {
        validate(original.architecture);
        if (mistake.before && !mistake.before(mistaken, random)) continue;
        model = fold(mistaken);
      } catch (const Error&) {
        continue;  // a structure that does not hold together is no export
      }
      if (mistake.after && !mistake.after(model, random)) continue;
      const auto causes = causes_of_wrong_export(original, model, some_inputs(original.architecture, seed), 1e-6);
      ++tally.tried;
      const auto is_it = [&](const Cause& cause) { return cause.trap == mistake.trap; };
      const bool named = std::any_of(causes.begin(), causes.end(), is_it);
      tally.named += named;
      tally.first += named && is_it(causes.front());
      if (named && is_it(causes.front())) continue;
      tally.missed += mistake.trap + " on seed " + std::to_string(seed) + ": " +
                      (causes.empty() ? "nothing" : causes.front().trap + ", " + causes.front().text) + "\n";
    }
  }
  return tally;
}

TEST(LikeliestCause, OfAWrongExportIsNamedOnRandomModels) {
  const Tally tally = tally_of_exports(40);
  EXPECT_GT(tally.tried, 300U);
  EXPECT_GE(static_cast<double>(tally.first), 0.95 * static_cast<double>(tally.tried)) << tally.missed;
  RecordProperty("named", std::to_string(tally.first) + " of " + std::to_string(tally.tried));
}

TEST(LikeliestCause, OfARightExportIsNone) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Original original = random_original(seed);
    try {
      const Model model = fold(original);
      EXPECT_TRUE(causes_of_wrong_export(original, model, some_inputs(original.architecture, seed), 1e-6).empty());
    } catch (const Error&) {
      continue;
    }
  }
}

TEST(LikeliestCause, ExplainsWhatItNames) {
  const Original original = two_layer_original(3);
  Original mistaken = original;
  mistaken.architecture.conv_layers[1].batch_norm->eps = 1e-3;
  mistaken.architecture.pooling = Pooling::max;
  const auto causes = causes_of_wrong_export(original, fold(mistaken), some_inputs(original.architecture, 1), 1e-6);
  ASSERT_EQ(causes.size(), 2U);
  EXPECT_EQ(causes[0].trap, "pooling") << "it has the larger effect";
  EXPECT_EQ(causes[1].trap, "eps");
  EXPECT_EQ(causes[1].text, "conv2's batch norm has eps 0.001 instead of 1e-05");
  EXPECT_TRUE(causes[1].explains);
  EXPECT_GT(causes[0].before, causes[0].after);
}

TEST(LikeliestCause, OfALayerThatIsMissingIsTheMissingLayer) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Original original = two_layer_original(seed);
    Architecture architecture = original.architecture;
    architecture.conv_layers.push_back(architecture.conv_layers.back());
    original = with_random_weights(architecture, seed);
    Original mistaken = original;
    mistaken.conv.erase(mistaken.conv.begin() + 2);
    mistaken.architecture.conv_layers.pop_back();
    const auto causes =
        causes_of_wrong_export(original, fold(mistaken), some_inputs(original.architecture, seed), 1e-6);
    ASSERT_FALSE(causes.empty());
    EXPECT_EQ(causes.front().trap, "layer_dropped");
    EXPECT_EQ(causes.front().text, "conv3 is missing from the export");
    EXPECT_TRUE(causes.front().explains);
  }
}

TEST(LikeliestCause, OfRecordedNumbersIsTheOtherStructure) {
  std::size_t tried = 0;
  std::size_t named = 0;
  std::string missed;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    const Original assumed = two_layer_original(seed);
    const std::vector<std::pair<std::string, std::function<void(Architecture&)>>> truths{
        {"pooling", [](Architecture& a) { a.pooling = Pooling::max; }},
        {"eps", [](Architecture& a) { a.conv_layers[0].batch_norm->eps = 1e-3; }},
        {"batch_norm_position",
         [](Architecture& a) { a.conv_layers[1].batch_norm->position = BatchNormSpec::Position::after_activation; }},
        {"padding_side", [](Architecture& a) { std::swap(a.conv_layers[1].pad_left, a.conv_layers[1].pad_right); }},
        {"max_len", [](Architecture& a) { a.max_len = 64; }},
        {"not_padded", [](Architecture& a) { a.pad_token.reset(); }},
        {"activation", [](Architecture& a) { a.conv_layers[0].activation.kind = Activation::Kind::gelu; }},
    };
    for (const auto& [trap, change] : truths) {
      Original truth = assumed;
      change(truth.architecture);
      const auto runner = torch_for_tests().rebuild(truth);
      std::vector<Golden> records;
      for (const Bytes& input : some_inputs(truth.architecture, seed)) {
        if (input.size() >= 8 || truth.architecture.pad_token) records.push_back({input, runner->logits(input)});
      }
      const auto believed = torch_for_tests().rebuild(assumed);
      const bool tells = std::any_of(records.begin(), records.end(), [&](const Golden& record) {
        return std::abs(believed->logits(record.input)[0] - record.logits[0]) > 1e-4;
      });
      if (!tells) continue;  // a model that gives one number for everything
      const auto causes = causes_of_wrong_records(assumed, records, 1e-5);
      ++tried;
      const bool right = !causes.empty() && causes.front().trap == trap && causes.front().explains;
      named += right;
      if (!right) missed += trap + ": " + (causes.empty() ? "nothing" : causes.front().text) + "\n";
    }
  }
  EXPECT_GE(static_cast<double>(named), 0.95 * static_cast<double>(tried)) << missed;
}

}  // namespace
}  // namespace bytecnn::exporter::testing
