// TorchScript: the graph tells the structure, in all the spellings that people use, and the module itself is the
// original.

#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "torchscript_file.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

const std::string embedded = "  x = torch.embedding(self.e, x).transpose(1, 2)\n";
const std::string one_conv = embedded + "  x = torch.relu(torch.conv1d(x, self.w1, self.b1, [1], [1]))\n";
const std::string maximum = "  x = torch.amax(x, [2])\n";
const std::string head =
    "  x = torch.relu(torch.linear(x, self.fw, self.fb))\n"
    "  x = torch.linear(x, self.ow, self.ob)\n";
const std::string done = "  return x\n";

std::string batch_norm(const std::string& value, const std::string& eps = "1e-5") {
  return "torch.batch_norm(" + value + ", self.g, self.b, self.m, self.v, False, 0.1, " + eps + ", False)";
}

/// Describes the file, and requires that export and module agree, layer by layer as well.
Original described(const std::string& forward, bool frozen = false) {
  const TemporaryFolder folder;
  const std::string path = folder.file("net.pt");
  save_torchscript(path, forward, frozen);
  Original original = torch_for_tests().describe_torchscript(path);
  original.architecture.max_len = 24;
  const auto runner = torch_for_tests().run_torchscript(path, original.architecture);
  const auto rebuilt = torch_for_tests().rebuild(original);
  const Model model = fold(original);
  for (const std::size_t length : {0U, 1U, 5U, 23U, 24U, 30U}) {
    std::vector<std::byte> input(length);
    for (std::size_t i = 0; i < length; ++i) input[i] = static_cast<std::byte>((i * 53 + length) & 0xFFU);
    const auto expected = runner->logits(input);
    const auto again = rebuilt->logits(input);
    const auto exported = reference_logits(model, input);
    const auto single = runner->logits_float32(input);
    EXPECT_EQ(expected.size(), original.architecture.outputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(again[i], expected[i], 1e-12) << "length " << length;
      EXPECT_NEAR(exported[i], expected[i], 1e-5) << "length " << length;
      EXPECT_NEAR(single[i], expected[i], 1e-4) << "length " << length;
    }
    const auto layers = runner->layer_outputs(input);
    if (!layers.empty()) {
      const auto others = rebuilt->layer_outputs(input);
      EXPECT_EQ(layers.size(), others.size());
      for (std::size_t layer = 0; layer < std::min(layers.size(), others.size()); ++layer) {
        EXPECT_EQ(layers[layer].size(), others[layer].size()) << "layer " << layer;
        for (std::size_t i = 0; i < std::min(layers[layer].size(), others[layer].size()); ++i) {
          EXPECT_NEAR(layers[layer][i], others[layer][i], 1e-12) << "layer " << layer;
        }
      }
    }
  }
  return original;
}

Error refusal(const std::string& forward, const std::string& arguments = "x") {
  const TemporaryFolder folder;
  const std::string path = folder.file("net.pt");
  save_torchscript(path, forward, false, arguments);
  try {
    (void)torch_for_tests().describe_torchscript(path);
  } catch (const Error& error) {
    EXPECT_NE(error.where().find("net.pt"), std::string::npos);
    return error;
  }
  ADD_FAILURE() << "was accepted:\n" << forward;
  return {ErrorCode::usage, "accepted"};
}

::testing::AssertionResult says(const Error& error, std::string_view text) {
  const std::string_view message = error.what();
  if (message.find(text) != std::string_view::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << message;
}

TEST(TorchscriptStructure, OfOneLayerIsReadWhole) {
  const Original original = described(one_conv + maximum + head + done);
  const Architecture& architecture = original.architecture;
  EXPECT_EQ(architecture.vocab_size, 256U);
  EXPECT_EQ(architecture.embed_dim, 4U);
  ASSERT_EQ(architecture.conv_layers.size(), 1U);
  const ConvLayer& layer = architecture.conv_layers[0];
  EXPECT_EQ(layer.filters, 6U);
  EXPECT_EQ(layer.kernel_size, 3U);
  EXPECT_EQ(layer.pad_left, 1U);
  EXPECT_EQ(layer.pad_right, 1U);
  EXPECT_EQ(layer.activation.kind, Activation::Kind::relu);
  EXPECT_FALSE(layer.batch_norm);
  EXPECT_EQ(architecture.pooling, Pooling::max);
  ASSERT_EQ(architecture.dense_layers.size(), 1U);
  EXPECT_EQ(architecture.outputs, 1U);
  EXPECT_EQ(original.parameters, 256U * 4 + 6 * 4 * 3 + 6 + 5 * 6 + 5 + 5 + 1);
  EXPECT_EQ(original.sources.at("pooling"), "torchscript");
  EXPECT_EQ(original.sources.at("output"), "default");
}

TEST(TorchscriptStructure, OfAFrozenFileIsTheSame) {
  const Original plain = described(one_conv + maximum + head + done);
  const Original frozen = described(one_conv + maximum + head + done, true);
  EXPECT_EQ(plain.architecture, frozen.architecture);
  EXPECT_EQ(plain.conv[0].weight, frozen.conv[0].weight);
}

TEST(TorchscriptStructure, TellsBatchNormBeforeFromAfterTheActivationAndItsEps) {
  const auto before =
      described(embedded + "  x = torch.relu(" + batch_norm("torch.conv1d(x, self.w1, self.b1, [1], [1])", "0.001") +
                ")\n" + maximum + head + done);
  const auto after =
      described(embedded + "  x = " + batch_norm("torch.relu(torch.conv1d(x, self.w1, None, [1], [1]))") + "\n" +
                maximum + head + done);
  EXPECT_EQ(before.architecture.conv_layers[0].batch_norm,
            (BatchNormSpec{0.001, BatchNormSpec::Position::before_activation}));
  EXPECT_EQ(after.architecture.conv_layers[0].batch_norm,
            (BatchNormSpec{1e-5, BatchNormSpec::Position::after_activation}));
  EXPECT_TRUE(after.conv[0].bias.empty());
}

TEST(TorchscriptStructure, FoldsOneOfTwoBatchNormsOfALayer) {
  const auto original =
      described(embedded + "  x = torch.relu(" + batch_norm("torch.conv1d(x, self.w1, self.b1, [1], [1])") +
                ")\n  x = " + batch_norm("x") + "\n" + maximum + head + done);
  ASSERT_TRUE(original.architecture.conv_layers[0].batch_norm);
  EXPECT_EQ(original.architecture.conv_layers[0].batch_norm->position, BatchNormSpec::Position::after_activation);
}

TEST(TorchscriptStructure, BatchNormWithoutAffineHasNoLearnedNumbers) {
  const auto original = described(embedded +
                                  "  x = torch.relu(torch.batch_norm(torch.conv1d(x, self.w1, self.b1), None, None, "
                                  "self.m, self.v, False, 0.1, 1e-5, True))\n" +
                                  maximum + head + done);
  EXPECT_EQ(original.conv[0].batch_norm.gamma, std::vector<double>(6, 1));
  EXPECT_EQ(original.parameters, 256U * 4 + 6 * 4 * 3 + 6 + 5 * 6 + 5 + 5 + 1);
}

struct Spelling {
  std::string name, text;
  std::function<bool(const Architecture&)> right;
};

void PrintTo(const Spelling& spelling, std::ostream* stream) {
  *stream << spelling.name;
}

class TorchscriptSpelling : public ::testing::TestWithParam<Spelling> {};

TEST_P(TorchscriptSpelling, IsUnderstood) {
  const Original original = described(GetParam().text);
  EXPECT_TRUE(GetParam().right(original.architecture)) << describe(original.architecture);
}

std::function<bool(const Architecture&)> pools(Pooling pooling) {
  return [=](const Architecture& a) { return a.pooling == pooling; };
}
std::function<bool(const Architecture&)> pads(std::uint32_t left, std::uint32_t right) {
  return
      [=](const Architecture& a) { return a.conv_layers[0].pad_left == left && a.conv_layers[0].pad_right == right; };
}
std::function<bool(const Architecture&)> activates(Activation activation) {
  return [=](const Architecture& a) { return a.conv_layers[0].activation == activation; };
}
std::function<bool(const Architecture&)> ends_in(std::uint32_t outputs, Output output) {
  return [=](const Architecture& a) { return a.outputs == outputs && a.output == output; };
}

std::string pooled(const std::string& expression, const std::string& rest = head) {
  return one_conv + "  x = " + expression + "\n" + rest + done;
}
std::string convolved(const std::string& expression) {
  return embedded + "  x = " + expression + "\n" + maximum + head + done;
}
std::string wide_head(const std::string& weight) {
  return "  x = torch.relu(torch.linear(x, self." + weight + ", self.fb))\n  x = torch.linear(x, self.ow, self.ob)\n";
}
std::string finished(const std::string& rest) {
  return one_conv + maximum + head + rest;
}

const std::vector<Spelling> spellings{
    {"max_with_indices", pooled("torch.max(x, 2)[0]"), pools(Pooling::max)},
    {"max_of_the_last_axis_kept_and_squeezed", pooled("torch.max(x, -1, True)[0].squeeze(-1)"), pools(Pooling::max)},
    {"amax_kept_and_flattened", pooled("torch.flatten(torch.amax(x, [-1], True), 1)"), pools(Pooling::max)},
    {"adaptive_max", pooled("torch.adaptive_max_pool1d(x, [1])[0].squeeze(2)"), pools(Pooling::max)},
    {"adaptive_average_viewed", pooled("torch.adaptive_avg_pool1d(x, [1]).view([x.size(0), -1])"), pools(Pooling::avg)},
    {"max_pool_over_the_length", pooled("torch.max_pool1d(x, [x.size(2)]).squeeze(2)"), pools(Pooling::max)},
    {"average_pool_over_the_length", pooled("torch.avg_pool1d(x, [x.size(-1)])[:, :, 0]"), pools(Pooling::avg)},
    {"mean", pooled("x.mean([2])"), pools(Pooling::avg)},
    {"mean_over_rows", pooled("x.transpose(1, 2).mean([1])"), pools(Pooling::avg)},
    {"sum_by_the_length", pooled("x.sum([2]) / x.size(2)"), pools(Pooling::avg)},
    {"sum_kept_by_the_length_of_the_shape", pooled("(x.sum([-1], True) / float(x.shape[2])).flatten(1)"),
     pools(Pooling::avg)},
    {"sum_of_rows_by_their_length", one_conv + "  x = x.transpose(1, 2)\n  x = x.sum([1]) / x.size(1)\n" + head + done,
     pools(Pooling::avg)},
    {"mean_of_a_stack", pooled("torch.stack([x.mean([2]), torch.amax(x, [2])]).mean([0])"), pools(Pooling::avg_max)},
    {"sum_of_a_stack", pooled("torch.stack([torch.amax(x, [2]), x.mean([2])], -1).sum([-1])"), pools(Pooling::avg_max)},
    {"matrix_transpose",
     "  x = torch.relu(torch.conv1d(torch.embedding(self.e, x).mT, self.w1, self.b1))\n" + maximum + head + done,
     pads(0, 0)},
    {"half_of_the_sum", pooled("(x.mean([2]) + torch.max(x, 2)[0]) * 0.5"), pools(Pooling::avg_max)},
    {"half_from_the_left", pooled("0.5 * (torch.max(x, 2)[0] + x.mean([2]))"), pools(Pooling::avg_max)},
    {"sum_by_two", pooled("(x.mean([2]) + torch.amax(x, [2])) / 2"), pools(Pooling::avg_max)},
    {"sum_of_halves", pooled("0.5 * x.mean([2]) + torch.amax(x, [2]) / 2.0"), pools(Pooling::avg_max)},
    {"whole_sum", pooled("x.mean([2]) + torch.amax(x, [2])"), pools(Pooling::avg_max)},
    {"concatenation", pooled("torch.cat([x.mean([2]), torch.amax(x, [2])], 1)", wide_head("cw")),
     pools(Pooling::concat_avg_max)},
    {"concatenation_the_other_way", pooled("torch.cat([torch.amax(x, [2]), x.mean([2])], -1)", wide_head("cw")),
     pools(Pooling::concat_avg_max)},
    {"concatenation_with_deviation",
     pooled("torch.cat([x.mean([2]), torch.amax(x, [2]), torch.sqrt(torch.var(x, [2], True) + 1e-5)], 1)",
            wide_head("sw")),
     pools(Pooling::concat_avg_max_std)},
    {"concatenation_with_deviation_first",
     pooled("torch.cat([(x.var([2]) + 1e-5) ** 0.5, x.mean([2]), torch.amax(x, [2])], 1)", wide_head("sw")),
     pools(Pooling::concat_avg_max_std)},

    {"no_padding", convolved("torch.relu(torch.conv1d(x, self.w1, self.b1))"), pads(0, 0)},
    {"padding_same", convolved("torch.relu(torch.conv1d(x, self.w1, self.b1, [1], 'same', [2]))"), pads(2, 2)},
    {"padding_valid", convolved("torch.relu(torch.conv1d(x, self.w1, self.b1, [1], 'valid'))"), pads(0, 0)},
    {"padding_before", convolved("torch.relu(torch.conv1d(torch.constant_pad_nd(x, [2, 0]), self.w1, self.b1))"),
     pads(2, 0)},
    {"padding_before_and_inside",
     convolved("torch.relu(torch.conv1d(torch.constant_pad_nd(x, [1, 0], 0), self.w1, self.b1, [1], [1]))"),
     pads(2, 1)},
    {"stride_and_dilation", convolved("torch.relu(torch.conv1d(x, self.w1, self.b1, [2], [3], [3]))"),
     [](const Architecture& a) { return a.conv_layers[0].stride == 2 && a.conv_layers[0].dilation == 3; }},
    {"groups",
     embedded +
         "  x = torch.relu(torch.conv1d(x, self.w1, self.b1))\n"
         "  x = torch.relu(torch.conv1d(x, self.w2[:, :3, :], self.b2, [1], [1], [1], 2))\n" +
         maximum + head + done,
     [](const Architecture& a) { return a.conv_layers[1].groups == 2; }},
    {"permuted_embedding",
     "  x = torch.embedding(self.e, x).permute([0, 2, 1])\n  x = torch.relu(torch.conv1d(x, self.w1, self.b1))\n" +
         maximum + head + done,
     pads(0, 0)},
    {"residual",
     one_conv + "  x = torch.relu(torch.conv1d(x, self.w2, self.b2, [1], [1])) + x\n" + maximum + head + done,
     [](const Architecture& a) { return !a.conv_layers[0].residual && a.conv_layers[1].residual; }},
    {"residual_from_the_left",
     one_conv + "  x = x + " + batch_norm("torch.relu(torch.conv1d(x, self.w2, self.b2, [1], [1]))") + "\n" + maximum +
         head + done,
     [](const Architecture& a) { return a.conv_layers[1].residual && a.conv_layers[1].batch_norm.has_value(); }},

    {"leaky_relu", convolved("torch.leaky_relu(torch.conv1d(x, self.w1, self.b1), 0.125)"),
     activates({Activation::Kind::leaky_relu, 0.125F})},
    {"relu_in_place", convolved("torch.relu_(torch.conv1d(x, self.w1, self.b1))"), activates({Activation::Kind::relu})},
    {"clamped", convolved("torch.clamp(torch.conv1d(x, self.w1, self.b1), 0)"), activates({Activation::Kind::relu})},
    {"silu_by_hand",
     embedded + "  x = torch.conv1d(x, self.w1, self.b1)\n  x = x * torch.sigmoid(x)\n" + maximum + head + done,
     activates({Activation::Kind::silu})},
    {"tanh", convolved("torch.tanh(torch.conv1d(x, self.w1, self.b1))"), activates({Activation::Kind::tanh})},
    {"sigmoid_between", convolved("torch.sigmoid(torch.conv1d(x, self.w1, self.b1))"),
     activates({Activation::Kind::sigmoid})},
    {"no_activation", convolved("torch.conv1d(x, self.w1, self.b1)"), activates({Activation::Kind::none})},
    {"dropout", convolved("torch.dropout(torch.relu(torch.conv1d(x, self.w1, self.b1)), 0.5, self.training)"),
     activates({Activation::Kind::relu})},

    {"sigmoid_at_the_end", finished("  return torch.sigmoid(x)\n"), ends_in(1, Output::sigmoid)},
    {"sigmoid_and_squeeze", finished("  return torch.sigmoid(x).squeeze(1)\n"), ends_in(1, Output::sigmoid)},
    {"squeeze_and_sigmoid", finished("  return torch.sigmoid(x.squeeze(-1))\n"), ends_in(1, Output::sigmoid)},
    {"flattened_logit", finished("  return x.view([-1])\n"), ends_in(1, Output::sigmoid)},
    {"softmax_at_the_end",
     one_conv + maximum +
         "  x = torch.linear(torch.relu(torch.linear(x, self.fw, self.fb)), self.tw, self.tb)\n"
         "  return torch.softmax(x, 1)\n",
     ends_in(3, Output::softmax)},
    {"log_softmax_at_the_end",
     one_conv + maximum +
         "  x = torch.linear(torch.relu(torch.linear(x, self.fw, self.fb)), self.tw, self.tb)\n"
         "  return torch.log_softmax(x, -1)\n",
     ends_in(3, Output::softmax)},
    {"several_sigmoids",
     one_conv + maximum +
         "  x = torch.linear(torch.relu(torch.linear(x, self.fw, self.fb)), self.tw, self.tb)\n"
         "  return torch.sigmoid(x)\n",
     ends_in(3, Output::sigmoid)},
    {"linear_by_hand",
     one_conv + maximum +
         "  x = torch.relu(torch.addmm(self.fb, x, self.fw.t()))\n  return torch.matmul(x, self.ow.t()) + self.ob\n",
     ends_in(1, Output::sigmoid)},
    {"checks_that_raise", "  assert x.dim() == 2, 'expected two dimensions'\n" + finished(done),
     ends_in(1, Output::sigmoid)},
    {"casts",
     "  x = torch.embedding(self.e, x.to(4)).to(6).transpose(1, 2).contiguous()\n"
     "  x = torch.relu(torch.conv1d(x, self.w1, self.b1))\n" +
         maximum + head + done,
     ends_in(1, Output::sigmoid)},
};

INSTANTIATE_TEST_SUITE_P(Spellings, TorchscriptSpelling, ::testing::ValuesIn(spellings),
                         [](const auto& instance) { return instance.param.name; });

TEST(TorchscriptRefusal, NamesTheOperatorThatHasNoPlace) {
  const Error error = refusal(one_conv + "  x = torch.cumsum(x, 2)\n" + maximum + head + done);
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_TRUE(says(error, "aten::cumsum")) << error.what();
}

TEST(TorchscriptRefusal, NamesWhatAKnownOperatorDoesWrong) {
  EXPECT_TRUE(says(refusal(one_conv + "  x = torch.amax(x, [1])\n  return x\n"), "another axis"));
  EXPECT_TRUE(
      says(refusal(embedded + "  x = torch.gelu(x)\n  x = torch.conv1d(x, self.w1, self.b1)\n" + maximum + head + done),
           "aten::gelu"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = torch.relu(x.mean([2]))\n" + head + done), "between the pooling"));
  EXPECT_TRUE(says(refusal(convolved("torch.conv1d(torch.constant_pad_nd(x, [1, 1], 1.0), self.w1, self.b1)")),
                   "something else than zeros"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = torch.std(x, [2])\n" + head + done), "deviation"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = x.sum([2]) / x.size(1)\n" + head + done), "divisors"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = x.sum([2])\n" + head + done), "aten::sum"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = torch.stack([x.mean([2]), torch.amax(x, [2])]).mean([1])\n" + head + done),
                   "of a stack"));
  EXPECT_TRUE(
      says(refusal(one_conv + "  x = torch.amax(torch.stack([x.mean([2]), torch.amax(x, [2])]), [0])\n" + head + done),
           "of a stack"));
  EXPECT_TRUE(says(refusal(finished("  return torch.neg(x)\n")), "aten::neg"));
  EXPECT_TRUE(says(refusal(finished("  return x * 2.0\n")), "after the last linear layer"));
}

TEST(TorchscriptRefusal, OfBatchStatisticsSaysToCallEval) {
  const Error error = refusal(embedded + "  x = torch.conv1d(x, self.w1, self.b1)\n" +
                              "  x = torch.batch_norm(x, self.g, self.b, self.m, self.v, True, 0.1, 1e-5, False)\n" +
                              maximum + head + done);
  EXPECT_TRUE(says(error, "eval()")) << error.what();
}

TEST(TorchscriptRefusal, OfAResidualThatSkipsTwoBlocks) {
  const Error error = refusal(one_conv +
                              "  y = torch.relu(torch.conv1d(x, self.w2, self.b2, [1], [1]))\n"
                              "  y = torch.relu(torch.conv1d(y, self.w2, self.b2, [1], [1]))\n"
                              "  x = x + y\n" +
                              maximum + head + done);
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_TRUE(says(error, "aten::add")) << error.what();
}

TEST(TorchscriptRefusal, OfWhatDependsOnTheInput) {
  const Error error =
      refusal(one_conv + "  if x.size(2) > 8:\n    x = torch.relu(x)\n  else:\n    x = torch.tanh(x)\n" + maximum +
              head + done);
  EXPECT_TRUE(says(error, "prim::If")) << error.what();
}

TEST(TorchscriptRefusal, OfMoreInputsOrOutputsThanOne) {
  EXPECT_TRUE(says(refusal(finished("  return x, torch.sigmoid(x)\n")), "several values"));
  EXPECT_TRUE(says(refusal(one_conv + "  x = x + y\n" + maximum + head + done, "x, y"), "more than the bytes"));
}

TEST(TorchscriptFile, WithAnArgumentThatHasADefaultIsRunWithIt) {
  const TemporaryFolder folder;
  save_torchscript(folder.file("net.pt"), one_conv + "  x = x * scale\n" + maximum + head + done, false,
                   "x, scale: float = 1.0");
  EXPECT_THROW((void)torch_for_tests().describe_torchscript(folder.file("net.pt")), Error);  // scales the columns
  save_torchscript(folder.file("other.pt"), one_conv + maximum + "  x = x * scale\n" + head + done, false,
                   "x, scale: float = 3.0");
  const Original original = torch_for_tests().describe_torchscript(folder.file("other.pt"));
  EXPECT_EQ(original.architecture.pooling, Pooling::max);
}

TEST(TorchscriptFile, ThatIsNoneIsAnErrorThatNamesIt) {
  try {
    (void)torch_for_tests().describe_torchscript("/nonexistent/net.pt");
    FAIL() << "was read";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/net.pt"), std::string::npos);
  }
}

TEST(TorchscriptVerification, ChecksTheStructureAndHolds) {
  const TemporaryFolder folder;
  const std::string path = folder.file("net.pt");
  save_torchscript(path, embedded + "  x = torch.relu(" + batch_norm("torch.conv1d(x, self.w1, self.b1, [1], [1])") +
                             ")\n  x = (x.mean([2]) + torch.amax(x, [2])) * 0.5\n" + head +
                             "  return torch.sigmoid(x)\n");
  Original original = torch_for_tests().describe_torchscript(path);
  original.architecture.max_len = 32;
  const auto runner = torch_for_tests().run_torchscript(path, original.architecture);
  VerifyOptions options;
  options.samples = 20;
  options.work_limit = 10'000'000;
  Model model = fold(original);
  const VerifyReport right = verify(original, *runner, model, options);
  EXPECT_TRUE(right.passed) << to_text(right);
  EXPECT_TRUE(right.structure_checked);
  model.architecture.pooling = Pooling::max;
  const VerifyReport wrong = verify(original, *runner, model, options);
  EXPECT_FALSE(wrong.passed);
  EXPECT_TRUE(wrong.stages.at(0).passed) << "the weights are the same";
  EXPECT_NE(wrong.stages.at(1).first_difference.find("the pooling differs first"), std::string::npos)
      << wrong.stages.at(1).first_difference;
}

}  // namespace
}  // namespace bytecnn::exporter::testing
