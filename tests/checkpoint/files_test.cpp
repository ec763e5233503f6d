#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using namespace std::string_literals;

class CheckpointFile : public testing::Test {
 protected:
  CheckpointFile() {
    folder_ = std::filesystem::temp_directory_path() / ("bytecnn_checkpoint_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~CheckpointFile() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string write(const std::string& name, std::span<const std::byte> bytes) const {
    const std::filesystem::path path = folder_ / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path.string();
  }

  static Error error_of_file(const std::string& path, const CheckpointLimits& limits = {}) {
    try {
      (void)read_checkpoint_file(path, {}, limits);
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << path << " was read";
    return {ErrorCode::usage, ""};
  }

  std::filesystem::path folder_;
};

TEST_F(CheckpointFile, IsReadAndErrorsNameItFirst) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  const std::vector<std::byte> good = checkpoint_file(pickle.finish(), small_storages());
  EXPECT_EQ(read_checkpoint_file(write("good.pth", good)).tensors.size(), 2U);
  const std::string cut = write("cut.pth", std::span(good).first(good.size() / 2));
  EXPECT_EQ(std::string(error_of_file(cut).what()).rfind(cut + ": ", 0), 0U);
}

TEST_F(CheckpointFile, ThatIsNotThereOrAFolderOrEmptyIsAClearError) {
  EXPECT_EQ(error_of_file((folder_ / "absent.pth").string()).code(), ErrorCode::io);
  EXPECT_EQ(error_of_file(folder_.string()).code(), ErrorCode::io);
  EXPECT_NE(std::string(error_of_file(write("empty.pth", {})).what()).find("empty"), std::string::npos);
}

TEST_F(CheckpointFile, LargerThanTheLimitIsNotMapped) {
  CheckpointLimits limits;
  limits.max_file_bytes = 3;
  EXPECT_EQ(error_of_file(write("large.pth", to_bytes("PK\x03\x04")), limits).code(), ErrorCode::limit);
}

TEST(ForeignFiles, AreNamedWithWhatToDo) {
  const std::vector<std::pair<std::string, std::string>> files{
      {"", "empty"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"},
      {"<!DOCTYPE html><html>", "HTML"},
      {"\n  <html>", "HTML"},
      {"\x1f\x8b\x08\x00"s, "gunzip"},
      {"BZh91AY", "bunzip2"},
      {"\x28\xb5\x2f\xfd"s, "unzstd"},
      {"{\"a\": 1}", "JSON"},
      {"\x08\x07\x12\x07pytorch", "ONNX"},
      {"\x89HDF\r\n\x1a\n", "HDF5"},
      {"\x93NUMPY\x01", ".npy"},
      {std::string(257, '\0') + "ustar", "tar"},
      {"(dp0\nS'a'\np1\n.", "plain pickle"},
      {"#!/bin/sh\n", "script"},
      {std::string("\x14\0\0\0PTMF", 8), "mobile"},
      {"P", "not a PyTorch checkpoint"},
      {"\xfd\x3f\xeb<\x92P\xb7\x97", "not a PyTorch checkpoint"},
  };
  for (const auto& [content, word] : files) {
    const Error error = error_of(to_bytes(content));
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << ": " << error.what();
    EXPECT_NE(error.code(), ErrorCode::usage);
  }
}

}  // namespace
}  // namespace bytecnn::exporter::test
