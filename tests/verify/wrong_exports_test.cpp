// The verifier's worth: a right export holds, and every wrong one is caught in the layer where it is wrong.

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

VerifyOptions few_inputs() {
  VerifyOptions options;
  options.samples = 24;
  options.work_limit = 20'000'000;
  return options;
}

VerifyReport verified(const Original& original, const Model& model, const VerifyOptions& options = few_inputs()) {
  const auto runner = torch_for_tests().rebuild(original);
  return verify(original, *runner, model, options);
}

const StageReport& stage(const VerifyReport& report, std::string_view name) {
  for (const auto& found : report.stages) {
    if (found.name == name) return found;
  }
  throw std::runtime_error("no stage " + std::string(name));
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(RightExports, OfRandomModelsHoldInEveryStage) {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    const Original original = random_original(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(original.architecture));
    try {
      validate(original.architecture);
    } catch (const Error&) {
      continue;  // a random architecture that leaves nothing to pool
    }
    const VerifyReport report = verified(original, fold(original));
    EXPECT_TRUE(report.passed) << to_text(report);
    EXPECT_TRUE(report.differences.empty());
    EXPECT_GE(report.stages.size(), 2U);
    EXPECT_LT(stage(report, "fold").worst, 1e-6 * report.scale);
  }
}

TEST(RightExports, GiveGoldenVectorsOfTheOriginal) {
  const Original original = two_layer_original(5);
  const auto runner = torch_for_tests().rebuild(original);
  const auto vectors = golden_vectors(original.architecture, *runner);
  ASSERT_GE(vectors.size(), 5U);
  EXPECT_TRUE(vectors.front().input.empty());
  for (const auto& vector : vectors) EXPECT_EQ(vector.logits, runner->logits(vector.input));
}

TEST(RightExports, WithRecordedNumbersProveTheStructureAsWell) {
  const Original original = two_layer_original(5);
  const auto runner = torch_for_tests().rebuild(original);
  VerifyOptions options = few_inputs();
  options.reference = golden_vectors(original.architecture, *runner);
  const VerifyReport report = verified(original, fold(original), options);
  EXPECT_TRUE(report.passed) << to_text(report);
  EXPECT_TRUE(report.structure_checked);
  EXPECT_FALSE(verified(original, fold(original)).structure_checked);
}

/// A defect of an export: what is done to the original before it is folded, or to the folded model.
struct Defect {
  std::string name;
  std::function<void(Original&)> before;
  std::function<void(Model&)> after;
  std::string first_layer;  ///< that must be named
};

void PrintTo(const Defect& defect, std::ostream* stream) {
  *stream << defect.name;
}

class WrongExport : public ::testing::TestWithParam<Defect> {};

TEST_P(WrongExport, IsCaughtInTheLayerWhereItIsWrong) {
  const Defect& defect = GetParam();
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const Original original = two_layer_original(seed);
    Original mistaken = original;
    if (defect.before) defect.before(mistaken);
    Model model = fold(mistaken);
    if (defect.after) defect.after(model);
    const VerifyReport report = verified(original, model);
    EXPECT_FALSE(report.passed) << "seed " << seed << "\n" << to_text(report);
    const StageReport& fold_stage = stage(report, "fold");
    EXPECT_FALSE(fold_stage.passed) << "seed " << seed;
    EXPECT_TRUE(contains(fold_stage.first_difference, defect.first_layer + " differs first"))
        << "seed " << seed << ": " << fold_stage.first_difference;
  }
}

void swap_two_channels(Model& model) {
  auto& conv = model.weights.conv[0];
  const auto window = static_cast<std::ptrdiff_t>(conv.weight.size() / conv.bias.size());
  std::swap(conv.bias[0], conv.bias[1]);
  std::swap_ranges(conv.weight.begin(), conv.weight.begin() + window, conv.weight.begin() + window);
}

const std::vector<Defect> defects{
    {"eps_of_1e_5_taken_for_1e_3",
     [](Original& o) { o.architecture.conv_layers[0].batch_norm->eps = 1e-3; },
     {},
     "conv1"},
    {"batch_norm_after_the_activation_folded_before",
     [](Original& o) {
       o.architecture.conv_layers[1].batch_norm->position = BatchNormSpec::Position::after_activation;
     },
     {},
     "conv2"},
    {"same_padding_of_an_even_kernel_on_the_wrong_side",
     [](Original& o) { std::swap(o.architecture.conv_layers[1].pad_left, o.architecture.conv_layers[1].pad_right); },
     {},
     "conv2"},
    {"no_padding_of_the_convolution",
     [](Original& o) { o.architecture.conv_layers[0].pad_left = o.architecture.conv_layers[0].pad_right = 0; },
     {},
     "conv1"},
    {"max_only_pooling", [](Original& o) { o.architecture.pooling = Pooling::max; }, {}, "the pooling"},
    {"average_only_pooling", [](Original& o) { o.architecture.pooling = Pooling::avg; }, {}, "the pooling"},
    {"another_max_len", [](Original& o) { o.architecture.max_len += 8; }, {}, "conv1"},
    {"another_pad_token", [](Original& o) { o.architecture.pad_token = 32; }, {}, "conv1"},
    {"batch_norm_dropped", [](Original& o) { o.architecture.conv_layers[0].batch_norm.reset(); }, {}, "conv1"},
    {"running_mean_ignored",
     [](Original& o) { std::fill(o.conv[1].batch_norm.mean.begin(), o.conv[1].batch_norm.mean.end(), 0); },
     {},
     "conv2"},
    {"bias_of_one_filter_off", {}, [](Model& m) { m.weights.conv[1].bias[4] += 1e-3F; }, "conv2"},
    {"one_embedding_number_off_by_a_thousandth",
     {},
     [](Model& m) { m.weights.embedding[6 * 65 + 2] *= 1.001F; },
     "conv1"},
    {"two_channels_swapped", {}, swap_two_channels, "conv1"},
    {"dense_layer_without_its_activation",
     {},
     [](Model& m) { m.architecture.dense_layers[0].activation.kind = Activation::Kind::none; },
     "the dense layer"},
    {"dense_weight_off",
     {},
     [](Model& m) {
       for (auto& w : m.weights.dense[0].weight) w *= 1.001F;
     },
     "the dense layer"},
    {"output_bias_off", {}, [](Model& m) { m.weights.output.bias[0] += 1e-4F; }, "the output layer"},
    {"other_activation",
     [](Original& o) { o.architecture.conv_layers[0].activation.kind = Activation::Kind::leaky_relu; },
     {},
     "conv1"},
};

INSTANTIATE_TEST_SUITE_P(Defects, WrongExport, ::testing::ValuesIn(defects),
                         [](const auto& instance) { return instance.param.name; });

TEST(WrongExports, WithOneWeightOffByAThousandthAreCaughtWhereverItStands) {
  const Original original = two_layer_original(2);
  const Model right = fold(original);
  const auto runner = torch_for_tests().rebuild(original);
  VerifyOptions options = few_inputs();
  for (std::size_t layer = 0; layer < 2; ++layer) {
    const auto& weight = right.weights.conv[layer].weight;
    for (std::size_t i = 0; i < weight.size(); i += 1 + weight.size() / 12) {
      Model wrong = right;
      wrong.weights.conv[layer].weight[i] *= 1.001F;
      const VerifyReport report = verify(original, *runner, wrong, options);
      const std::string name = "conv" + std::to_string(layer + 1) + "_weight[";
      EXPECT_TRUE(contains(stage(report, "weights").first_difference, name))
          << stage(report, "weights").first_difference;
      EXPECT_FALSE(report.passed) << "conv" << layer + 1 << " weight " << i << " = " << weight[i] << "\n"
                                  << to_text(report);
    }
  }
}

TEST(WrongExports, OfModelsThatDoNotPadAreCaughtByWhatTheyRefuse) {
  Original original = two_layer_original(4);
  original.architecture.pad_token.reset();
  Original mistaken = original;
  mistaken.architecture.conv_layers[1].pad_right = 0;
  const VerifyReport right = verified(original, fold(original));
  EXPECT_TRUE(right.passed) << to_text(right);
  const VerifyReport wrong = verified(original, fold(mistaken));
  EXPECT_FALSE(wrong.passed);
  EXPECT_GT(stage(wrong, "fold").refused_by_one, 0U);
}

TEST(WrongExports, SayHowTheirArchitectureDiffers) {
  const Original original = two_layer_original(1);
  Model model = fold(original);
  model.architecture.pooling = Pooling::max;
  const auto report = verified(original, model);
  ASSERT_EQ(report.differences.size(), 1U);
  EXPECT_EQ(report.differences.front(), "pooling: avg_max in the original, max in the model");
}

TEST(WrongExports, WithAnotherNumberOfOutputsAreNoExportsAtAll) {
  const Original original = two_layer_original(1);
  Architecture other = original.architecture;
  other.outputs = 2;
  other.output = Output::softmax;
  EXPECT_THROW(verified(original, fold(with_random_weights(other, 1))), Error);
}

TEST(WrongExports, WithMoreOrFewerLayersAreRunAllTheSame) {
  const Original original = two_layer_original(3);
  Architecture longer = original.architecture;
  ConvLayer last = longer.conv_layers.back();
  longer.conv_layers.insert(longer.conv_layers.end(), 3, last);
  longer.dense_layers.push_back({4, Activation{}});
  Architecture shorter = original.architecture;
  shorter.conv_layers.pop_back();
  shorter.dense_layers.clear();
  for (const Architecture& other : {longer, shorter}) {
    const VerifyReport report = verified(original, fold(with_random_weights(other, 3)));
    EXPECT_FALSE(report.passed);
    EXPECT_FALSE(stage(report, "weights").passed);
    EXPECT_FALSE(report.differences.empty());
    EXPECT_FALSE(to_text(report).empty());
  }
}

TEST(WrongStructures, AreCaughtByRecordedNumbersAlone) {
  const Original truth = two_layer_original(6);
  const auto python = torch_for_tests().rebuild(truth);
  VerifyOptions options = few_inputs();
  options.reference = golden_vectors(truth.architecture, *python);

  Original assumed = truth;  // the state dict cannot tell
  assumed.architecture.pooling = Pooling::max;
  const VerifyReport report = verified(assumed, fold(assumed), options);
  EXPECT_TRUE(stage(report, "fold").passed) << "the export is a faithful one of a wrong assumption";
  EXPECT_FALSE(stage(report, "reference").passed);
  EXPECT_FALSE(report.passed);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
