// Model files on disk: errors that name the file, and saving that never leaves half a file.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bytecnn/bytecnn.hpp"

#include "error_check.hpp"
#include "small_models.hpp"

namespace bytecnn {
namespace {

namespace fs = std::filesystem;
using testing::describe;
using testing::error_of;

class ModelFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / ("bytecnn-" + std::to_string(getpid()) + "-" + test->name());
    fs::create_directory(folder_);
  }
  void TearDown() override {
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(folder_)) result.push_back(entry.path().filename().string());
    return result;
  }
  void write(const std::string& name, const std::string& content) const { std::ofstream(path(name)) << content; }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(path(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }

 private:
  fs::path folder_;
};

Error saving_error(const std::string& path) {
  return error_of([&] {
    save_model(testing::small_model(), path);
    return 0;
  });
}

TEST_F(ModelFilesTest, SavesAndLoads) {
  const Model model = testing::rich_model();
  save_model(model, path("a.json"));
  EXPECT_EQ(to_json(load_model(path("a.json"))), to_json(model));
  EXPECT_EQ(Classifier::load(path("a.json")).labels()[2], "blue");
  EXPECT_EQ(names(), std::vector<std::string>{"a.json"});
}

TEST_F(ModelFilesTest, SavingReplacesTheOldFileAndLeavesNoTemporary) {
  write("a.json", "old");
  save_model(testing::small_model(), path("a.json"));
  EXPECT_EQ(load_model(path("a.json")).info.name, "small");
  EXPECT_EQ(names(), std::vector<std::string>{"a.json"});
}

TEST_F(ModelFilesTest, AnInvalidModelIsNotSavedOverAGoodOne) {
  write("a.json", "old");
  Model model = testing::small_model();
  model.weights.output.bias.clear();
  EXPECT_THROW(save_model(model, path("a.json")), Error);
  EXPECT_EQ(read("a.json"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a.json"});
}

TEST_F(ModelFilesTest, SavingIntoNoFolderIsAnErrorWithTheName) {
  write("plain", "no folder");
  for (const std::string& bad : {path("missing/a.json"), path("plain/a.json")}) {
    const Error error = saving_error(bad);
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_EQ(error.where(), bad) << describe(error);
  }
  EXPECT_EQ(names(), std::vector<std::string>{"plain"});
}

TEST_F(ModelFilesTest, SavingOverAFolderIsAnErrorAndLeavesNoTemporary) {
  fs::create_directory(path("a.json"));
  write("a.json/inside", "kept");
  EXPECT_EQ(saving_error(path("a.json")).code(), ErrorCode::io);
  EXPECT_EQ(names(), std::vector<std::string>{"a.json"});
  EXPECT_EQ(read("a.json/inside"), "kept");
}

TEST_F(ModelFilesTest, SavingIntoAnUnwritableFolderIsAnErrorAndLeavesTheOldFile) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
  write("a.json", "old");
  fs::permissions(path(""), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(saving_error(path("a.json")).code(), ErrorCode::io);
  EXPECT_EQ(read("a.json"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a.json"});
}

TEST_F(ModelFilesTest, WhatCannotBeReadIsAnIoErrorWithTheName) {
  for (const std::string& bad : {path("missing.json"), path("missing/a.json"), path("")}) {
    const Error error = error_of([&] { return load_model(bad); });
    EXPECT_EQ(error.code(), ErrorCode::io) << describe(error);
    EXPECT_EQ(error.where(), bad);
  }
}

TEST_F(ModelFilesTest, ErrorsInsideAFileNameTheFileAndThePlace) {
  write("empty.json", "");
  EXPECT_EQ(error_of([&] { return load_model(path("empty.json")); }).where(), path("empty.json"));
  testing::Json document = testing::document_of(testing::small_model());
  document["weights"]["conv1_bias"].erase(0);
  write("short.json", document.dump());
  const Error error = error_of([&] { return Classifier::load(path("short.json")); });
  EXPECT_EQ(error.where(), path("short.json") + ": /weights/conv1_bias");
  EXPECT_EQ(std::string(error.what()),
            path("short.json") + ": /weights/conv1_bias: wrong length (expected 3, found 2)");
}

}  // namespace
}  // namespace bytecnn
