// The user's own inputs: lines of a file, or the files of a folder.

#include "verify/corpus_files.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter::testing {
namespace {

namespace fs = std::filesystem;

TEST(CorpusLines, AreInputsWithoutTheirNewline) {
  const auto lines = lines_as_inputs(std::string_view("a\n\nb\0c\r\nlast", 12), "log");
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].bytes.size(), 1U);
  EXPECT_TRUE(lines[1].bytes.empty());
  EXPECT_EQ(lines[2].bytes.size(), 4U);  // b, NUL, c, carriage return
  EXPECT_EQ(lines[3].bytes.size(), 4U);
  EXPECT_EQ(lines[3].name, "log line 4");
  EXPECT_TRUE(lines_as_inputs("", "none").empty());
  EXPECT_EQ(lines_as_inputs("one\n", "one").size(), 1U);
}

class CorpusFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bytecnn-corpus-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "sub");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  fs::path folder_;
};

TEST_F(CorpusFolder, GivesEachFileWholeInTheOrderOfTheirPaths) {
  write("b.txt", "two\nlines\n");
  write("a.bin", std::string_view("\0\xFF", 2));
  write("sub/empty", "");
  const auto inputs = load_corpus(folder_.string(), 100);
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[0].name, "a.bin");
  EXPECT_EQ(inputs[0].bytes, (Bytes{std::byte{0}, std::byte{0xFF}}));
  EXPECT_EQ(inputs[1].bytes.size(), 10U);
  EXPECT_EQ(inputs[2].name, "sub/empty");
  EXPECT_TRUE(inputs[2].bytes.empty());
}

TEST_F(CorpusFolder, ReadsNoMoreOfAFileThanAModelTakes) {
  write("large", std::string(1000, 'x'));
  EXPECT_EQ(load_corpus(folder_.string(), 41).front().bytes.size(), 41U);
}

TEST_F(CorpusFolder, WithoutAFileIsAnErrorAndSoIsWhatIsNotThere) {
  for (const fs::path& path : {folder_, folder_ / "absent"}) {
    try {
      static_cast<void>(load_corpus(path.string(), 100));
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::io);
      EXPECT_EQ(error.where(), path.string());
    }
  }
}

TEST_F(CorpusFolder, MayAlsoBeAFileOfLines) {
  write("log.txt", "first\nsecond");
  const auto inputs = load_corpus((folder_ / "log.txt").string(), 100);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_EQ(inputs[1].name, "log.txt line 2");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
