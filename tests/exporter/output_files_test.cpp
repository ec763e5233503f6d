#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bytecnn/error.hpp"

#include "certificate/sha256.hpp"
#include "file_bytes.hpp"

namespace bytecnn::exporter::testing {
namespace {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    const ::testing::TestInfo* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("bytecnn-files-" + std::to_string(::getpid()) + "-" + info->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  static std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

TEST_F(Files, AppearTogetherInAFolderThatIsMade) {
  OutputFiles files((folder_ / "a" / "b").string());
  files.add("one", "1");
  files.add("two", "");
  const auto paths = files.commit();
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(content(paths[0]), "1");
  EXPECT_EQ(content(paths[1]), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a" / "b"), fs::directory_iterator()), 2) << "nothing else";
}

TEST_F(Files, ReplaceWhatWasThere) {
  std::ofstream(folder_ / "one") << "a much longer text than the new one";
  OutputFiles files(folder_.string());
  files.add("one", "1");
  static_cast<void>(files.commit());
  EXPECT_EQ(content(folder_ / "one"), "1");
}

TEST_F(Files, AreReadWithinALimitWhateverTheirSize) {
  const std::string text(200'001, 'x');
  std::ofstream(folder_ / "text") << text;
  const std::string path = (folder_ / "text").string();
  EXPECT_EQ(read_small_file(path, 200'001), text);
  EXPECT_EQ(read_small_file(path, std::size_t{1} << 40U), text) << "the limit is no buffer";
  try {
    static_cast<void>(read_small_file(path, 200'000));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::limit);
    EXPECT_EQ(error.where(), path);
  }
}

TEST_F(Files, LeaveNothingBehindWhereOneCannotBeWritten) {
  fs::create_directories(folder_ / "two" / "occupied");  // a folder cannot be replaced by a file
  OutputFiles files(folder_.string());
  files.add("one", "1");
  files.add("two", "2");
  EXPECT_THROW(static_cast<void>(files.commit()), Error);
  EXPECT_EQ(entries(), 1U) << "only what was there before";
}

TEST_F(Files, LeaveNoFolderBehindEither) {
  OutputFiles files((folder_ / "made" / "for").string());
  files.add("one", "1");
  files.add("no/such/folder", "2");
  EXPECT_THROW(static_cast<void>(files.commit()), Error);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Files, HaveTheHashThatEveryoneComputes) {
  std::ofstream(folder_ / "abc") << "abc";
  EXPECT_EQ(sha256_of_file((folder_ / "abc").string()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4, appendix B.1
  std::ofstream(folder_ / "empty");
  EXPECT_EQ(sha256_of_file((folder_ / "empty").string()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_THROW(static_cast<void>(sha256_of_file((folder_ / "missing").string())), Error);
}

TEST_F(Files, AreReadUpToALimit) {
  std::ofstream(folder_ / "four") << "1234";
  EXPECT_EQ(read_small_file((folder_ / "four").string(), 4), "1234");
  EXPECT_THROW(static_cast<void>(read_small_file((folder_ / "four").string(), 3)), Error);
  EXPECT_THROW(static_cast<void>(read_small_file(folder_.string(), 3)), Error);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
