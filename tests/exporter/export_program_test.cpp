// The program itself: files, exit statuses, and what it leaves behind.

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "bytecnn/model_json.hpp"
#include "bytecnn/reference.hpp"

#include "checkpoint_builder.hpp"
#include "original_columns.hpp"

namespace bytecnn::exporter::testing {
namespace {

namespace fs = std::filesystem;

/// The format: https://huggingface.co/docs/safetensors, header length, JSON header, data.
void write_safetensors(const fs::path& path, const Checkpoint& checkpoint) {
  nlohmann::ordered_json header;
  std::string data;
  for (const NamedTensor& entry : checkpoint.tensors) {
    const std::size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(entry.tensor.data.data()), entry.tensor.data.size());
    header[entry.name] = {{"dtype", entry.tensor.dtype == DType::i64 ? "I64" : "F32"},
                          {"shape", entry.tensor.shape},
                          {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  std::ofstream(path, std::ios::binary) << bytes << text << data;
}

struct Outcome {
  int status = -1;
  std::string out, err;
};

class ExportProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("bytecnn-export-" + std::to_string(::getpid()) + "-" + info->name());
    fs::create_directories(folder_);
    write_safetensors(file("model.safetensors"), two_layers().checkpoint());
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  static std::string content(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// Runs `ENVIRONMENT bytecnn-export ARGUMENTS` in the test's folder.
  Outcome run(const std::string& arguments, const std::string& environment = "") const {
    const std::string command = "cd '" + folder_.string() + "' && " + environment + " '" BYTECNN_EXPORT_PROGRAM "' " +
                                arguments + " >.stdout 2>.stderr";
    const int status = std::system(command.c_str());
    Outcome result;
    if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
    result.out = content(folder_ / ".stdout");
    result.err = content(folder_ / ".stderr");
    fs::remove(folder_ / ".stdout");
    fs::remove(folder_ / ".stderr");
    return result;
  }
  fs::path folder_;
};

TEST_F(ExportProgram, WritesJsonAndPythonAndPrintsTheirPaths) {
  const Outcome done = run("model.safetensors --output-dir out --no-verify");
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(done.out, "out/model.json\nout/model_weights.py\n");
  const Model model = load_model(file("out/model.json"));
  const Model expected = fold(two_layers().recognise());
  const std::string text = "a text";
  EXPECT_EQ(reference_logits(model, std::as_bytes(std::span(text))),
            reference_logits(expected, std::as_bytes(std::span(text))));
  EXPECT_EQ(model.info.name, "model");
  EXPECT_EQ(model.info.source.at("file"), "model.safetensors");
  EXPECT_EQ(model.info.source.at("sha256").size(), 64U);
  EXPECT_EQ(model.info.assumed.at("pooling"), "default");
}

TEST_F(ExportProgram, SaysWhatItAssumed) {
  const std::string text = run("model.safetensors --no-verify --pooling max").err;
  EXPECT_NE(text.find("pooling"), std::string::npos);
  EXPECT_NE(text.find("stated"), std::string::npos);
  EXPECT_NE(text.find("default"), std::string::npos);
  EXPECT_NE(text.find("not verified"), std::string::npos);
  EXPECT_EQ(run("model.safetensors --no-verify --quiet").err, "");
}

TEST_F(ExportProgram, WritesTheFormatsThatAreAskedFor) {
  EXPECT_EQ(run("model.safetensors --no-verify --format json").out, "./model.json\n");
  EXPECT_EQ(run("model.safetensors --no-verify --format python").out, "./model_weights.py\n");
  EXPECT_EQ(run("model.safetensors --no-verify --format cpp").out, "./model.hpp\n");
  EXPECT_EQ(run("model.safetensors --no-verify --format all").out, "./model.json\n./model_weights.py\n./model.hpp\n");
}

TEST_F(ExportProgram, VerifiesUnlessToldNotTo) {
  const Outcome done = run("model.safetensors --format json");
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.err.find("fold"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("engine"), std::string::npos) << done.err;
  const Model model = load_model(file("model.json"));
  EXPECT_FALSE(model.golden.empty()) << "numbers of the original travel with the model";
  for (const Golden& pair : model.golden) {
    EXPECT_NEAR(reference_logits(model, pair.input)[0], pair.logits[0], 1e-5);
  }
}

TEST_F(ExportProgram, NeverOpensLibtorchWithoutVerifying) {
  const std::string missing = "BYTECNN_TORCH_MODULE=/nonexistent/module.so";
  EXPECT_EQ(run("model.safetensors --no-verify --format json", missing).status, 0);
  fs::remove(file("model.json"));
  const Outcome refused = run("model.safetensors --format json --output-dir out", missing);
  EXPECT_EQ(refused.status, 3) << refused.err;
  EXPECT_FALSE(fs::exists(file("out")));
}

TEST_F(ExportProgram, TakesItsMetadataWholeAndUnchanged) {
  std::ofstream(file("labels")) << "no, never\nyes \"quoted\" \xC3\xA9\n";
  const Outcome done =
      run("model.safetensors --no-verify --format all --name 'a\"b\\c' --version '1.2' --accuracy 0.7897 "
          "--labels @labels --threshold 0.25",
          "SOURCE_DATE_EPOCH=1700000000");
  ASSERT_EQ(done.status, 0) << done.err;
  const Model model = load_model(file("model.json"));
  EXPECT_EQ(model.info.name, "a\"b\\c");
  EXPECT_EQ(model.info.version, "1.2");
  EXPECT_EQ(model.info.accuracy, 0.7897);
  EXPECT_EQ(model.info.labels, (std::vector<std::string>{"no, never", "yes \"quoted\" \xC3\xA9"}));
  EXPECT_EQ(model.info.threshold, 0.25);
  EXPECT_EQ(model.info.exported, "2023-11-14T22:13:20Z");
}

TEST_F(ExportProgram, GivesTheSameBytesForTheSameTime) {
  const std::string time = "SOURCE_DATE_EPOCH=1";
  ASSERT_EQ(run("model.safetensors --no-verify --format all --output-dir a", time).status, 0);
  ASSERT_EQ(run("model.safetensors --no-verify --format all --output-dir b", time).status, 0);
  for (const char* name : {"model.json", "model_weights.py", "model.hpp"}) {
    EXPECT_EQ(content(folder_ / "a" / name), content(folder_ / "b" / name)) << name;
  }
}

TEST_F(ExportProgram, SettlesByFlagsAndByAFile) {
  std::ofstream(file("architecture.json")) << R"({"conv_layers": [{"batch_norm": {"eps": 0.5}}, {}], "max_len": 77})";
  const Outcome done =
      run("model.safetensors --no-verify --format json --architecture architecture.json --pooling max "
          "--pad-token none --bn-position after");
  ASSERT_EQ(done.status, 0) << done.err;
  const Model model = load_model(file("model.json"));
  EXPECT_EQ(model.architecture.pooling, Pooling::max);
  EXPECT_EQ(model.architecture.max_len, 77U);
  EXPECT_FALSE(model.architecture.pad_token);
  EXPECT_EQ(model.architecture.conv_layers[0].batch_norm,
            (BatchNormSpec{0.5, BatchNormSpec::Position::after_activation}));
  EXPECT_FALSE(model.weights.conv[0].scale.empty()) << "a batch norm behind the activation is not folded backwards";
}

TEST_F(ExportProgram, AnswersMistakesInItsArgumentsWithStatus2) {
  for (const char* arguments : {"",
                                "--nonsense",
                                "model.safetensors --format xml",
                                "model.safetensors --max-len 0",
                                "model.safetensors --max-len x",
                                "model.safetensors --pad-token -1",
                                "model.safetensors --pooling mean",
                                "model.safetensors --bn-position middle",
                                "model.safetensors --bn-eps -1",
                                "model.safetensors --accuracy 78.97",
                                "model.safetensors --threshold 2",
                                "model.safetensors --no-verify --labels a,b,c",
                                "model.safetensors --no-verify --labels a,a",
                                "model.safetensors --no-verify --labels ,b",
                                "model.safetensors --name \"$(printf '\\377')\"",
                                "model.safetensors model.safetensors",
                                "model.safetensors --json",
                                "model.safetensors --search",
                                "model.safetensors --search-seconds 5",
                                "model.safetensors --reference r.json --no-verify",
                                "model.safetensors --inspect --reference r.json"}) {
    const Outcome refused = run(arguments);
    EXPECT_EQ(refused.status, 2) << arguments << "\n" << refused.err;
    EXPECT_NE(refused.err.find("bytecnn export: "), std::string::npos) << refused.err;
    EXPECT_EQ(refused.out, "");
  }
  EXPECT_EQ(run("--inspect").err.find("bytecnn inspect: "), 0U);
}

TEST_F(ExportProgram, AnswersBadFilesWithStatus3OrTheirNameAndNothingElse) {
  std::ofstream(file("text.pth")) << "no checkpoint";
  write_safetensors(file("headless.safetensors"), two_layers().remove("output.weight").checkpoint());
  std::ofstream(file("broken.json")) << "{";
  std::ofstream(file("wrong.json")) << R"({"embed_dim": 5})";
  for (const char* arguments :
       {"missing.pth", "text.pth", "headless.safetensors", ".", "model.safetensors --architecture broken.json",
        "model.safetensors --architecture wrong.json", "model.safetensors --architecture missing.json"}) {
    const Outcome refused = run(std::string(arguments) + " --no-verify --output-dir out");
    EXPECT_EQ(refused.status, 3) << arguments << "\n" << refused.err;
    EXPECT_FALSE(fs::exists(file("out"))) << arguments;
    EXPECT_EQ(refused.out, "");
    const std::string name = std::string(arguments).find("missing.json") != std::string::npos ? "missing.json"
                             : std::string(arguments).find("broken.json") != std::string::npos
                                 ? "broken.json"
                                 : std::string(arguments).substr(0, std::string(arguments).find(' '));
    EXPECT_NE(refused.err.find(name), std::string::npos) << refused.err;
  }
}

TEST_F(ExportProgram, AnswersUnsupportedLayersWithStatus4) {
  write_safetensors(file("lstm.safetensors"), two_layers().add("lstm.weight_ih_l0", {8, 8}).checkpoint());
  const Outcome refused = run("lstm.safetensors --no-verify --output-dir out");
  EXPECT_EQ(refused.status, 4) << refused.err;
  EXPECT_NE(refused.err.find("lstm.safetensors"), std::string::npos);
  EXPECT_NE(refused.err.find("lstm.weight_ih_l0"), std::string::npos);
  EXPECT_FALSE(fs::exists(file("out")));
}

TEST_F(ExportProgram, LeavesNothingBehindWhereItCannotWrite) {
  fs::create_directories(file("out/model_weights.py/occupied"));
  const Outcome refused = run("model.safetensors --no-verify --output-dir out");
  EXPECT_EQ(refused.status, 3) << refused.err;
  EXPECT_FALSE(fs::exists(file("out/model.json")));
  EXPECT_EQ(std::distance(fs::directory_iterator(file("out")), fs::directory_iterator()), 1);
}

TEST_F(ExportProgram, TheHelpOfInspectIsAboutInspectingAlone) {
  const Outcome done = run("--inspect --help");
  EXPECT_EQ(done.status, 0) << done.err;
  for (const char* words : {"Usage: bytecnn inspect ", "Examples:", "bytecnn inspect model.pth", "--key", "--json"}) {
    EXPECT_NE(done.out.find(words), std::string::npos) << words;
  }
  EXPECT_EQ(done.out.find("--format"), std::string::npos) << "nothing is written";
  EXPECT_NE(run("--inspect --treads").err.find("bytecnn inspect --help"), std::string::npos);
}

TEST_F(ExportProgram, InspectsWithoutWriting) {
  const Outcome done = run("model.safetensors --inspect --json");
  ASSERT_EQ(done.status, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["container"], "safetensors");
  EXPECT_EQ(json["tensors"].size(), two_layers().checkpoint().tensors.size());
  EXPECT_EQ(json["export"]["possible"], true);
  EXPECT_FALSE(fs::exists(file("model.json")));
  write_safetensors(file("lstm.safetensors"), two_layers().add("lstm.weight_ih_l0", {8, 8}).checkpoint());
  const Outcome refused = run("lstm.safetensors --inspect");
  EXPECT_EQ(refused.status, 0) << "the question was answered";
  EXPECT_NE(refused.out.find("would be refused (unsupported)"), std::string::npos) << refused.out;
}

/// What exporter/record_reference.py would write for the model of these tests with another structure than is assumed.
void write_recording(const fs::path& path, std::string_view statement, std::uint32_t max_len = 64) {
  Original original = two_layers().recognise(statement);
  original.architecture.max_len = max_len;
  nlohmann::json json = {
      {"dtype", "float64"}, {"max_len", max_len}, {"pad_token", 0}, {"inputs", nlohmann::json::array()}};
  for (const std::string text : {"", "a", "Hello, this is a text.", "The quick brown fox jumps over the lazy dog."}) {
    std::string hex;
    for (const char c : text) {
      hex += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4U];
      hex += "0123456789abcdef"[static_cast<unsigned char>(c) & 15U];
    }
    json["inputs"].push_back(
        {{"input_hex", hex},
         {"logits", original_logits(original, original.architecture, std::as_bytes(std::span(text)))}});
  }
  std::ofstream(path) << json;
}

constexpr const char* unusual = R"({"pooling": "max", "conv_layers": [
    {"batch_norm": {"eps": 0.001, "position": "after_activation"}},
    {"batch_norm": {"eps": 0.001, "position": "after_activation"}, "padding": "valid"}]})";

TEST_F(ExportProgram, SearchesForTheStructureThatARecordingFits) {
  write_recording(file("recorded.json"), unusual);
  const Outcome wrong = run("model.safetensors --format json --reference recorded.json --max-len 64");
  EXPECT_EQ(wrong.status, 1) << wrong.err;
  EXPECT_NE(wrong.err.find("--search"), std::string::npos) << wrong.err;
  EXPECT_FALSE(fs::exists(file("model.json")));

  const Outcome done = run("model.safetensors --format json --reference recorded.json --search");
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_NE(done.err.find("one structure fits"), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("reference"), std::string::npos);
  const Model model = load_model(file("model.json"));
  EXPECT_EQ(model.architecture.pooling, Pooling::max);
  EXPECT_EQ(model.architecture.max_len, 64U);
  EXPECT_EQ(model.architecture.conv_layers[1].pad_left, 0U);
  EXPECT_EQ(model.architecture.conv_layers[0].batch_norm,
            (BatchNormSpec{1e-3, BatchNormSpec::Position::after_activation}));
  EXPECT_EQ(model.info.assumed.at("pooling"), "reference");
  EXPECT_EQ(model.info.assumed.at("output"), "default") << "logits do not tell";
}

TEST_F(ExportProgram, ListsTheNearestStructuresWhereNoneFits) {
  write_recording(file("recorded.json"), R"({"conv_layers": [{"padding": [7, 3]}, {}]})");
  const Outcome none =
      run("model.safetensors --no-verify --reference recorded.json --search --search-seconds 0.5 --output-dir out");
  EXPECT_EQ(none.status, 1) << none.err;
  EXPECT_NE(none.err.find("no structure fits"), std::string::npos) << none.err;
  EXPECT_NE(none.err.find("structures tried of"), std::string::npos) << none.err;
  EXPECT_FALSE(fs::exists(file("out")));
}

TEST_F(ExportProgram, RefusesToChooseAmongStructuresThatFit) {
  // One text, with everything stated but the length: nothing is padded, so only an input beyond it would tell.
  nlohmann::json record;
  Original original = two_layers().recognise(R"({"pad_token": null, "max_len": 64, "pooling": "max"})");
  const std::string text(48, 'a');
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) hex += "61";
  record = {{{"input_hex", hex},
             {"logits", original_logits(original, original.architecture, std::as_bytes(std::span(text)))}}};
  std::ofstream(file("recorded.json")) << record;
  // A run of one byte under a maximum: every length that is long enough gives the same.
  const Outcome several =
      run("model.safetensors --no-verify --pad-token none --pooling max --reference recorded.json "
          "--search --search-seconds 20 --output-dir out");
  EXPECT_EQ(several.status, 3) << several.err;
  EXPECT_NE(several.err.find("structures fit"), std::string::npos) << several.err;
  EXPECT_NE(several.err.find("told apart by"), std::string::npos) << several.err;
  EXPECT_FALSE(fs::exists(file("out")));
}

TEST_F(ExportProgram, InspectsWithASearch) {
  write_recording(file("recorded.json"), unusual);
  const Outcome done = run("model.safetensors --inspect --json --reference recorded.json --search");
  ASSERT_EQ(done.status, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["search"]["verdict"], "one");
  EXPECT_EQ(json["search"]["fits"][0]["settled"]["pooling"], "max");
  EXPECT_FALSE(fs::exists(file("model.json")));
  EXPECT_NE(run("model.safetensors --inspect --reference recorded.json --search").out.find("one structure fits"),
            std::string::npos);
}

TEST_F(ExportProgram, HelpsWithExamples) {
  const Outcome done = run("--help");
  EXPECT_EQ(done.status, 0);
  EXPECT_NE(done.out.find("Examples:"), std::string::npos);
  EXPECT_EQ(done.err, "");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
