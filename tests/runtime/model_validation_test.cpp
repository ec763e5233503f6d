// Every rule that a model must keep, each broken alone, with the JSON pointer that the error names.

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

using testing::describe;
using testing::error_of;

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

struct Rule {
  const char* name;
  const char* where;
  std::function<void(Model&)> break_it;
  ErrorCode code = ErrorCode::invalid;
};

class ModelValidationTest : public ::testing::TestWithParam<Rule> {};

TEST_P(ModelValidationTest, IsRefusedWithItsPlace) {
  Model model = testing::rich_model();
  ASSERT_NO_THROW(validate(model));
  GetParam().break_it(model);
  const Error error = error_of([&] {
    validate(model);
    return 0;
  });
  EXPECT_EQ(error.code(), GetParam().code) << describe(error);
  EXPECT_EQ(error.where(), GetParam().where) << describe(error);
  EXPECT_FALSE(error.message().empty());
  // Neither the engine nor the writer takes such a model.
  EXPECT_THROW(Classifier{model}, Error);
  EXPECT_THROW(static_cast<void>(to_json(model)), Error);
}

Architecture& arch(Model& model) {
  return model.architecture;
}

// rich_model: 256 x 2 -> conv 3 (k 3) -> conv 3 (k 3, scaled, residual) -> dense 4 -> 3 outputs, softmax.
const std::vector<Rule>& rules() {
  static const std::vector<Rule> all = {
      {"VocabularyTooSmall", "/architecture/vocab_size", [](Model& m) { arch(m).vocab_size = 255; }},
      {"VocabularyTooLarge", "/architecture/vocab_size", [](Model& m) { arch(m).vocab_size = 65537; }},
      {"NoEmbedding", "/architecture/embed_dim", [](Model& m) { arch(m).embed_dim = 0; }},
      {"EmbeddingTooWide", "/architecture/embed_dim", [](Model& m) { arch(m).embed_dim = 65537; }},
      {"NoLength", "/architecture/max_len", [](Model& m) { arch(m).max_len = 0; }},
      {"LengthTooLarge", "/architecture/max_len", [](Model& m) { arch(m).max_len = (1U << 26U) + 1; }},
      {"PadTokenOutsideTheVocabulary", "/architecture/pad_token", [](Model& m) { arch(m).pad_token = 256; }},
      {"NoConvLayer", "/architecture/conv_layers", [](Model& m) { arch(m).conv_layers.clear(); }},
      {"TooManyConvLayers", "/architecture/conv_layers",
       [](Model& m) { arch(m).conv_layers.resize(257, arch(m).conv_layers[1]); }},
      {"NoFilters", "/architecture/conv_layers/0/filters", [](Model& m) { arch(m).conv_layers[0].filters = 0; }},
      {"TooManyFilters", "/architecture/conv_layers/0/filters",
       [](Model& m) { arch(m).conv_layers[0].filters = 65537; }},
      {"NoKernel", "/architecture/conv_layers/1/kernel_size", [](Model& m) { arch(m).conv_layers[1].kernel_size = 0; }},
      {"KernelTooLarge", "/architecture/conv_layers/1/kernel_size",
       [](Model& m) { arch(m).conv_layers[1].kernel_size = 4097; }},
      {"NoStride", "/architecture/conv_layers/0/stride", [](Model& m) { arch(m).conv_layers[0].stride = 0; }},
      {"StrideTooLarge", "/architecture/conv_layers/0/stride", [](Model& m) { arch(m).conv_layers[0].stride = 65537; }},
      {"NoDilation", "/architecture/conv_layers/0/dilation", [](Model& m) { arch(m).conv_layers[0].dilation = 0; }},
      {"NoGroups", "/architecture/conv_layers/0/groups", [](Model& m) { arch(m).conv_layers[0].groups = 0; }},
      {"GroupsThatDoNotDivide", "/architecture/conv_layers/1/groups",
       [](Model& m) { arch(m).conv_layers[1].groups = 2; }},
      {"PaddingTooLargeLeft", "/architecture/conv_layers/0/padding/0",
       [](Model& m) { arch(m).conv_layers[0].pad_left = (1U << 20U) + 1; }},
      {"PaddingTooLargeRight", "/architecture/conv_layers/0/padding/1",
       [](Model& m) { arch(m).conv_layers[0].pad_right = (1U << 20U) + 1; }},
      {"SlopeNotFinite", "/architecture/conv_layers/1/activation",
       [](Model& m) { arch(m).conv_layers[1].activation.slope = not_a_number; }},
      {"EpsNotFinite", "/architecture/conv_layers/1/batch_norm/eps",
       [](Model& m) { arch(m).conv_layers[1].batch_norm->eps = static_cast<double>(infinite); }},
      {"EpsNegative", "/architecture/conv_layers/1/batch_norm/eps",
       [](Model& m) { arch(m).conv_layers[1].batch_norm->eps = -1e-5; }},
      {"ResidualThatChangesTheChannels", "/architecture/conv_layers/0/residual",
       [](Model& m) { arch(m).conv_layers[0].residual = true; }},
      {"ResidualWithAStride", "/architecture/conv_layers/1/residual",
       [](Model& m) { arch(m).conv_layers[1].stride = 2; }},
      {"ResidualThatChangesTheLength", "/architecture/conv_layers/1/residual",
       [](Model& m) { arch(m).conv_layers[1].pad_right = 0; }},
      {"NoWindow", "/architecture/max_len",
       [](Model& m) {
         arch(m).conv_layers[0].dilation = 20;
         arch(m).conv_layers[0].pad_left = 0;
       }},
      {"OnePositionForADeviation", "/architecture/max_len",
       [](Model& m) {
         arch(m).pooling = Pooling::concat_avg_max_std;
         arch(m).max_len = 1;
       }},
      {"TooManyDenseLayers", "/architecture/dense_layers",
       [](Model& m) { arch(m).dense_layers.resize(257, arch(m).dense_layers[0]); }},
      {"NoUnits", "/architecture/dense_layers/0/units", [](Model& m) { arch(m).dense_layers[0].units = 0; }},
      {"DenseSlopeNotFinite", "/architecture/dense_layers/0/activation",
       [](Model& m) {
         arch(m).dense_layers[0].activation = {Activation::Kind::leaky_relu, infinite};
       }},
      {"NoOutputs", "/architecture/outputs", [](Model& m) { arch(m).outputs = 0; }},
      {"TooManyWeights", "/architecture",
       [](Model& m) {
         arch(m).vocab_size = 65536;
         arch(m).embed_dim = 4097;
       },
       ErrorCode::limit},
      {"BatchNormLeftBeforeTheActivation", "/architecture/conv_layers/1/batch_norm",
       [](Model& m) { arch(m).conv_layers[1].batch_norm->position = BatchNormSpec::Position::before_activation; }},
      {"ScaleWithoutBatchNorm", "/architecture/conv_layers/1/batch_norm",
       [](Model& m) { arch(m).conv_layers[1].batch_norm.reset(); }},
      {"BatchNormWithoutScale", "/architecture/conv_layers/0/batch_norm",
       [](Model& m) {
         arch(m).conv_layers[0].batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
       }},
      {"ScaleWithoutShift", "/weights/conv2_shift", [](Model& m) { m.weights.conv[1].shift.clear(); }},
      {"ScaleTooShort", "/weights/conv2_scale", [](Model& m) { m.weights.conv[1].scale.pop_back(); }},
      {"EmbeddingTooShort", "/weights/embedding", [](Model& m) { m.weights.embedding.pop_back(); }},
      {"ConvWeightTooLong", "/weights/conv1_weight", [](Model& m) { m.weights.conv[0].weight.push_back(0); }},
      {"ConvBiasMissing", "/weights/conv2_bias", [](Model& m) { m.weights.conv[1].bias.clear(); }},
      {"ConvLayerMissing", "/weights", [](Model& m) { m.weights.conv.pop_back(); }},
      {"DenseLayerMissing", "/weights", [](Model& m) { m.weights.dense.clear(); }},
      {"DenseWeightTooShort", "/weights/classifier_weight", [](Model& m) { m.weights.dense[0].weight.pop_back(); }},
      {"OutputBiasTooLong", "/weights/output_bias", [](Model& m) { m.weights.output.bias.push_back(0); }},
      {"EmbeddingNotFinite", "/weights/embedding", [](Model& m) { m.weights.embedding[7] = not_a_number; }},
      {"ConvWeightNotFinite", "/weights/conv2_weight", [](Model& m) { m.weights.conv[1].weight[2] = infinite; }},
      {"ShiftNotFinite", "/weights/conv2_shift", [](Model& m) { m.weights.conv[1].shift[0] = -infinite; }},
      {"OutputNotFinite", "/weights/output_weight", [](Model& m) { m.weights.output.weight[0] = not_a_number; }},
      {"TooFewLabels", "/model_info/labels", [](Model& m) { m.info.labels.pop_back(); }},
      {"EqualLabels", "/model_info/labels", [](Model& m) { m.info.labels[2] = "red"; }},
      {"ThresholdNotFinite", "/model_info/threshold",
       [](Model& m) { m.info.threshold = static_cast<double>(not_a_number); }},
      {"AccuracyNotFinite", "/model_info/accuracy", [](Model& m) { m.info.accuracy = static_cast<double>(infinite); }},
      {"ExtraInfoThatIsNoJson", "/model_info", [](Model& m) { m.info.extra = "{oops"; }},
      {"ExtraInfoThatIsNoObject", "/model_info", [](Model& m) { m.info.extra = "[1]"; }},
      {"ExtraInfoThatDoublesAKey", "/model_info", [](Model& m) { m.info.extra = R"({"name": "other"})"; }},
      {"ExtraThatIsNoJson", "/", [](Model& m) { m.extra = ""; }},
      {"ExtraThatDoublesAKey", "/", [](Model& m) { m.extra = R"({"weights": {}})"; }},
      {"GoldenOfAnotherWidth", "/golden/1/logits", [](Model& m) { m.golden[1].logits.pop_back(); }},
      {"WindowOfAnotherLength", "/frequent_windows/tokens", [](Model& m) { m.frequent_windows.tokens.pop_back(); }},
      {"WindowOfATokenThatNoInputHas", "/frequent_windows/tokens",
       [](Model& m) { m.frequent_windows.tokens[4] = m.architecture.vocab_size + 1; }},
      {"GoldenNotFinite", "/golden/0/logits", [](Model& m) { m.golden[0].logits[2] = static_cast<double>(infinite); }},
  };
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryRule, ModelValidationTest, ::testing::ValuesIn(rules()),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(ModelLabelsTest, TwoNamesForOneSigmoidAndOneForEachOtherOutput) {
  Model model = testing::small_model();
  model.info.labels = {"no", "yes"};
  EXPECT_NO_THROW(validate(model));
  model.info.labels = {"yes"};
  EXPECT_EQ(error_of([&] { return to_json(model); }).expected(), "2");
  model.architecture.output = Output::softmax;
  EXPECT_NO_THROW(validate(model));
}

TEST(OutputLengthTest, CountsWindowsAsPyTorchDoes) {
  ConvLayer layer;
  layer.kernel_size = 3;
  EXPECT_EQ(layer.output_length(2), 0U);
  EXPECT_EQ(layer.output_length(3), 1U);
  EXPECT_EQ(layer.output_length(10), 8U);
  layer.stride = 3;
  EXPECT_EQ(layer.output_length(10), 3U);  // floor((10 - 2 - 1) / 3) + 1
  layer.dilation = 2;
  layer.pad_left = 1;
  layer.pad_right = 2;
  EXPECT_EQ(layer.reach(), 4U);
  EXPECT_EQ(layer.output_length(10), 3U);  // floor((10 + 3 - 4 - 1) / 3) + 1
  EXPECT_EQ(layer.output_length(0), 0U);
}

}  // namespace
}  // namespace bytecnn
