// The program itself: exit statuses, the report on standard output, and the certificate.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "bytecnn/model_json.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {
namespace {

namespace fs = std::filesystem;

/// A state dict with the usual names. The format: https://huggingface.co/docs/safetensors
class Safetensors {
 public:
  void add(const std::string& name, const std::vector<std::uint64_t>& shape, const std::vector<double>& numbers) {
    const std::size_t begin = data_.size();
    for (const double number : numbers) {
      const auto single = static_cast<float>(number);
      data_.append(reinterpret_cast<const char*>(&single), sizeof single);  // NOLINT: the file holds the bytes
    }
    header_[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data_.size()}}};
  }
  void save(const std::string& path) const {
    const std::string text = header_.dump();
    const std::uint64_t length = text.size();
    std::string bytes(sizeof length, '\0');
    std::memcpy(bytes.data(), &length, sizeof length);
    std::ofstream(path, std::ios::binary) << bytes << text << data_;
  }

 private:
  nlohmann::ordered_json header_;
  std::string data_;
};

void save_checkpoint(const Original& original, const std::string& path) {
  const Architecture& a = original.architecture;
  Safetensors file;
  file.add("embedding.weight", {a.vocab_size, a.embed_dim}, original.embedding);
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    const OriginalConv& conv = original.conv[i];
    const std::uint64_t filters = a.conv_layers[i].filters;
    file.add("conv" + number + ".weight", {filters, a.in_channels(i), a.conv_layers[i].kernel_size}, conv.weight);
    if (!conv.bias.empty()) file.add("conv" + number + ".bias", {filters}, conv.bias);
    file.add("bn" + number + ".weight", {filters}, conv.batch_norm.gamma);
    file.add("bn" + number + ".bias", {filters}, conv.batch_norm.beta);
    file.add("bn" + number + ".running_mean", {filters}, conv.batch_norm.mean);
    file.add("bn" + number + ".running_var", {filters}, conv.batch_norm.variance);
  }
  const std::uint64_t units = a.dense_layers[0].units;
  file.add("classifier.weight", {units, a.pooled_features()}, original.dense[0].weight);
  file.add("classifier.bias", {units}, original.dense[0].bias);
  file.add("output.weight", {a.outputs, units}, original.output.weight);
  file.add("output.bias", {a.outputs}, original.output.bias);
  file.save(path);
}

struct Outcome {
  int status = -1;
  std::string out, err;
};

std::string content(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

class VerifyProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("bytecnn-verify-" + std::to_string(::getpid()) + "-" + info->name());
    fs::create_directories(folder_);
    original_ = two_layer_original(8);
    save_checkpoint(original_, file("model.safetensors"));
    model_ = fold(original_);
    save_model(model_, file("model.json"));
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

  /// Arguments go through a shell; the paths here need no quotes.
  [[nodiscard]] Outcome run(const std::string& arguments) const {
    const std::string command =
        std::string(BYTECNN_VERIFY_PROGRAM) + " " + arguments + " > " + file("out") + " 2> " + file("err");
    const int status = std::system(command.c_str());  // NOLINT: a test of a program starts it
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(file("out")), content(file("err"))};
  }
  [[nodiscard]] Outcome verify_model(const std::string& more = "") const {
    return run(file("model.safetensors") + " " + file("model.json") + " --max-len 40 --samples 12 " + more);
  }

  fs::path folder_;
  Original original_;
  Model model_;
};

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(VerifyProgram, PassesARightExportAndPrintsTheStages) {
  const Outcome right = verify_model();
  EXPECT_EQ(right.status, 0) << right.err;
  EXPECT_TRUE(contains(right.out, "fold")) << right.out;
  EXPECT_TRUE(contains(right.out, "engine ")) << right.out;
  EXPECT_TRUE(contains(right.out, "PASS: the export computes")) << right.out;
  EXPECT_EQ(right.err, "");
}

TEST_F(VerifyProgram, FailsAWrongExportWithStatusOne) {
  model_.weights.conv[1].bias[2] += 0.01F;
  save_model(model_, file("model.json"));
  const Outcome wrong = verify_model();
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_TRUE(contains(wrong.out, "conv2 differs first: channel 2")) << wrong.out;
}

/// Numbers of an embedding near 65,536, which a batch norm takes off again: right in double, lost in float32. The batch
/// norm's scale is 1 and its bias 0, so that folding rounds no weight: those would lose as much.
TEST_F(VerifyProgram, TellsAModelThatFloat32CannotServeFromAWrongExport) {
  constexpr double large = 65536;
  ConvLayer& layer = original_.architecture.conv_layers[0];
  OriginalConv& conv = original_.conv[0];
  layer.pad_left = layer.pad_right = 0;  // without zeros from outside every sum is large
  layer.batch_norm->eps = 0x1p-10;
  conv.bias.clear();
  conv.batch_norm.gamma.assign(layer.filters, 1.0);
  conv.batch_norm.beta.assign(layer.filters, 0.0);
  conv.batch_norm.variance.assign(layer.filters, 1 - 0x1p-10);
  const std::size_t window = conv.weight.size() / layer.filters;
  for (std::size_t f = 0; f < layer.filters; ++f) {
    double moved = 0;
    for (std::size_t i = 0; i < window; ++i) moved += conv.weight[f * window + i] * large;
    conv.batch_norm.mean[f] = static_cast<double>(static_cast<float>(moved));
  }
  for (double& number : original_.embedding) number = static_cast<double>(static_cast<float>(number + large));
  save_checkpoint(original_, file("model.safetensors"));
  model_ = fold(original_);
  save_model(model_, file("model.json"));
  auto statement = nlohmann::json::parse(content(file("model.json"))).at("architecture");
  for (std::size_t i = 0; i < statement.at("conv_layers").size(); ++i) {  // the model has folded its batch norms
    statement["conv_layers"][i]["batch_norm"] = {{"eps", original_.architecture.conv_layers[i].batch_norm->eps},
                                                 {"position", "before_activation"}};
  }
  std::ofstream(file("architecture.json")) << statement;

  const std::string options = "--architecture " + file("architecture.json") + " --report " + file("certificate.json");
  const Outcome hard = verify_model(options);
  EXPECT_EQ(hard.status, 1) << hard.err;
  EXPECT_TRUE(contains(hard.out, "right in double, but the model is too ill-conditioned for float32")) << hard.out;
  EXPECT_TRUE(contains(hard.out, "an ill-conditioned model, terms are")) << hard.out;
  const auto report = nlohmann::json::parse(content(file("certificate.json")))["report"];
  EXPECT_EQ(report["passed"], false);
  EXPECT_EQ(report["conditioning"]["ill_conditioned"], true);
  EXPECT_EQ(report["conditioning"]["explains_failure"], true);
  for (const auto& stage : report["stages"]) {
    const bool engine = stage["name"].get<std::string>().starts_with("engine");
    EXPECT_EQ(stage["passed"], !engine) << stage["name"];
  }

  // The same model, wrongly exported: no excuse.
  model_.weights.output.weight[0] *= 1.01F;
  save_model(model_, file("model.json"));
  const Outcome wrong = verify_model(options);
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_TRUE(contains(wrong.out, "does not compute what the original does")) << wrong.out;
  const auto blamed = nlohmann::json::parse(content(file("certificate.json")))["report"];
  EXPECT_EQ(blamed["conditioning"]["explains_failure"], false);
}

TEST_F(VerifyProgram, SaysInEveryReportThatExhaustiveRanNothing) {
  ConvLayer& layer = original_.architecture.conv_layers[0];
  layer.kernel_size = 5;
  layer.pad_left = layer.pad_right = 2;
  original_ = with_random_weights(original_.architecture, 4);
  save_checkpoint(original_, file("model.safetensors"));
  save_model(fold(original_), file("model.json"));
  const Outcome outcome =
      verify_model("--exhaustive --report " + file("certificate.json") + " --report " + file("certificate.html"));
  EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(contains(outcome.out, "--exhaustive ran no windows: ")) << outcome.out;
  const auto bound = nlohmann::json::parse(content(file("certificate.json")))["report"]["bound"];
  EXPECT_EQ(bound["windows"], 0);
  EXPECT_TRUE(contains(bound["windows_not_run"].get<std::string>(), "5 taps"));
  EXPECT_TRUE(contains(content(file("certificate.html")), "5 taps"));
  const Outcome unasked = verify_model("--report " + file("certificate.json"));
  EXPECT_EQ(unasked.status, 0);
  EXPECT_FALSE(nlohmann::json::parse(content(file("certificate.json")))["report"]["bound"].contains("windows_not_run"));
}

TEST_F(VerifyProgram, RunsTheEnginesInFixedPointWithinTheErrorThatTheyMeasure) {
  const Outcome unsupported = verify_model("--arithmetic int32");  // two layers
  EXPECT_EQ(unsupported.status, 4) << unsupported.err;
  EXPECT_TRUE(contains(unsupported.err, "has no int32 form")) << unsupported.err;
  EXPECT_TRUE(contains(unsupported.err, "model.json")) << unsupported.err;
  EXPECT_EQ(unsupported.out, "");

  Original one = original_;
  one.architecture.conv_layers.resize(1);
  one.conv.resize(1);
  one.dense[0].weight.resize(std::size_t{one.architecture.dense_layers[0].units} * one.architecture.pooled_features());
  save_checkpoint(one, file("model.safetensors"));
  model_ = fold(one);
  save_model(model_, file("model.json"));
  for (const std::string arithmetic : {"int32", "int16"}) {
    const Outcome right = verify_model("--arithmetic " + arithmetic);
    EXPECT_EQ(right.status, 0) << right.out << right.err;
    EXPECT_TRUE(contains(right.out, "engines in " + arithmetic + ": rounding the first layer")) << right.out;
  }
  EXPECT_FALSE(contains(verify_model().out, "engines in "));
  EXPECT_EQ(verify_model("--arithmetic int8").status, 2);
  EXPECT_EQ(verify_model("--arithmetic int16 --report " + file("c.json")).status, 2);

  model_.weights.output.bias[0] += 0.5F;
  save_model(model_, file("model.json"));
  EXPECT_EQ(verify_model("--arithmetic int16").status, 1);
}

TEST_F(VerifyProgram, ComparesAndNamesAnotherStructure) {
  const Outcome wrong = verify_model("--pooling max");
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_TRUE(contains(wrong.out, "pooling: max in the original, avg_max in the model")) << wrong.out;
}

TEST_F(VerifyProgram, HoldsRecordedNumbersAgainstTheAssumedStructure) {
  const auto runner = torch_for_tests().rebuild(original_);
  nlohmann::json records = nlohmann::json::array();
  for (const char* hex : {"", "48656c6c6f", "00ff"}) {
    std::vector<std::byte> input;
    for (const char* digits = hex; *digits != '\0'; digits += 2) {
      input.push_back(static_cast<std::byte>(std::stoi(std::string(digits, 2), nullptr, 16)));
    }
    records.push_back({{"input_hex", hex}, {"logits", runner->logits(input)}});
  }
  const auto record = [&](const nlohmann::json& inputs) {
    std::ofstream(file("reference.json")) << nlohmann::json{{"dtype", "float64"}, {"inputs", inputs}};
  };
  record(records);
  const Outcome right = verify_model("--reference " + file("reference.json"));
  EXPECT_EQ(right.status, 0) << right.out << right.err;
  EXPECT_FALSE(contains(right.out, "not the assumed structure")) << right.out;

  records[1]["logits"][0] = records[1]["logits"][0].get<double>() + 0.01;
  record(records);
  const Outcome wrong = verify_model("--reference " + file("reference.json"));
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_TRUE(contains(wrong.out, "record 2")) << wrong.out;
}

TEST_F(VerifyProgram, WritesACertificateThatNamesBothFiles) {
  const Outcome right = verify_model("--quiet --report " + file("certificate.json"));
  EXPECT_EQ(right.status, 0) << right.err;
  EXPECT_EQ(right.out, "");
  const auto json = nlohmann::json::parse(content(file("certificate.json")));
  EXPECT_EQ(json["checkpoint"]["file"], "model.safetensors");
  EXPECT_EQ(json["model"]["sha256"].get<std::string>().size(), 64U);
  EXPECT_EQ(json["report"]["passed"], true);
  EXPECT_GE(json["report"]["stages"].size(), 2U);
  EXPECT_FALSE(json["assumptions"].empty());
  EXPECT_FALSE(json["instruction_sets"].empty());
}

TEST_F(VerifyProgram, TakesTheUsersCorpus) {
  std::ofstream(file("corpus.txt")) << "first line\n\nthird line\n";
  const Outcome right = verify_model("--corpus " + file("corpus.txt") + " --report " + file("certificate.json"));
  EXPECT_EQ(right.status, 0) << right.err;
  const auto json = nlohmann::json::parse(content(file("certificate.json")));
  EXPECT_EQ(json["report"]["input_kinds"]["corpus"], 3);
}

TEST_F(VerifyProgram, TellsUsageFromUnreadableFiles) {
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(verify_model("--tolerance much").status, 2);
  EXPECT_EQ(verify_model("--pooling most").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  const Outcome missing = run(file("absent.pth") + " " + file("model.json"));
  EXPECT_EQ(missing.status, 3);
  EXPECT_TRUE(contains(missing.err, "absent.pth")) << missing.err;
  std::ofstream(file("broken.json")) << "{";
  const Outcome broken = run(file("model.safetensors") + " " + file("broken.json"));
  EXPECT_EQ(broken.status, 3);
  EXPECT_TRUE(contains(broken.err, "broken.json")) << broken.err;
}

}  // namespace
}  // namespace bytecnn::exporter::testing
