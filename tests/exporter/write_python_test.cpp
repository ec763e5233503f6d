// The Python export, executed by a plain interpreter and compared with the reference.

#include "write_python.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "sample_models.hpp"

namespace bytecnn::exporter::testing {
namespace {

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    char buffer[3];
    std::snprintf(buffer, sizeof buffer, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    text += buffer;
  }
  return text;
}

/// Standard output of `python -I program`, which must succeed.
std::string run_python(const std::filesystem::path& folder, const std::string& program) {
  std::ofstream(folder / "run.py") << program;
  const std::string command =
      std::string(BYTECNN_TEST_PYTHON) + " -I -W error '" + (folder / "run.py").string() + "' 2>&1";
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::string output;
  char buffer[4096];
  while (std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  EXPECT_EQ(::pclose(pipe), 0) << output;
  return output;
}

class PythonExport : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("bytecnn-python-" + std::to_string(::getpid()) + "-" + std::to_string(GetParam()));
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "weights.py", std::ios::binary) << to_python(sample().model);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static const Sample& sample() {
    static const std::vector<Sample> samples = sample_models();
    return samples[GetParam()];
  }
  [[nodiscard]] std::string head() const {
    return "import sys\nsys.path.insert(0, '" + folder_.string() + "')\nimport weights\n";
  }
  std::filesystem::path folder_;
};

TEST_P(PythonExport, ComputesWhatTheReferenceComputes) {
  const Model& model = sample().model;
  std::string program = head();
  for (const std::string& input : sample_inputs()) {
    program += "try:\n    print(*weights.logits(bytes.fromhex('" + hex(input) +
               "')), *weights.predict(bytes.fromhex('" + hex(input) + "')))\nexcept ValueError:\n    print('short')\n";
  }
  std::istringstream lines(run_python(folder_, program));
  for (const std::string& input : sample_inputs()) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    std::vector<double> expected;
    try {
      expected = reference_logits(model, std::as_bytes(std::span(input)));
    } catch (const Error&) {
      EXPECT_EQ(line, "short") << input.size() << " bytes";
      continue;
    }
    const std::vector<double> scores = reference_scores(model.architecture.output, expected);
    expected.insert(expected.end(), scores.begin(), scores.end());
    std::istringstream numbers(line);
    for (const double number : expected) {
      double found = NAN;
      ASSERT_TRUE(numbers >> found) << line;
      EXPECT_NEAR(found, number, 1e-6 * std::max(1.0, std::fabs(number))) << input.size() << " bytes";
    }
  }
}

TEST_P(PythonExport, HoldsItsTextsUnchanged) {
  const ModelInfo& info = sample().model.info;
  std::string program = head();
  program +=
      "i = weights.MODEL_INFO\nout = sys.stdout.buffer\n"
      "out.write(b'|'.join(s.encode() for s in [i['name'], i['version'], *i.get('labels', [])]))\n";
  std::string expected = info.name + "|" + info.version;
  for (const std::string& label : info.labels) expected += "|" + label;
  EXPECT_EQ(run_python(folder_, program), expected);
}

TEST_P(PythonExport, IsAsciiAndNamesItsWeightsAsPromised) {
  const std::string text = to_python(sample().model);
  for (const char c : text) ASSERT_TRUE((c >= 32 && c < 127) || c == '\n');
  for (const char* name : {"MODEL_INFO = ", "ARCHITECTURE = ", "EMBEDDING_WEIGHT = ", "CONV1_WEIGHT = ",
                           "CONV1_BIAS = ", "OUTPUT_WEIGHT = ", "OUTPUT_BIAS = "}) {
    EXPECT_NE(text.find(std::string("\n") + name), std::string::npos) << name;
  }
  const std::size_t hidden = sample().model.weights.dense.size();
  EXPECT_EQ(text.find("\nCLASSIFIER_WEIGHT = ") != std::string::npos, hidden == 1);
  EXPECT_EQ(text.find("\nDENSE2_BIAS = ") != std::string::npos, hidden == 2);
}

INSTANTIATE_TEST_SUITE_P(Samples, PythonExport, ::testing::Range(std::size_t{0}, sample_models().size()));

}  // namespace
}  // namespace bytecnn::exporter::testing
