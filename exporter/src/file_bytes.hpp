#pragma once
/// Files in and out: small texts, and sets of files that appear together or not at all.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bytecnn::exporter {

/// The content of a file of at most `limit` bytes. Throws `Error` (io, limit) that names it.
[[nodiscard]] std::string read_small_file(const std::string& path, std::size_t limit);

/// Files that are written under temporary names and renamed together. Unless `commit` succeeds, nothing is left behind:
/// neither a temporary file nor a folder that was made for them.
class OutputFiles {
 public:
  explicit OutputFiles(std::string folder) : folder_(std::move(folder)) {}
  void add(std::string name, std::string content) { files_.push_back({std::move(name), std::move(content)}); }
  /// Makes the folder where it is missing, writes and renames. Returns the paths. Throws `Error` (io).
  std::vector<std::string> commit();

 private:
  struct File {
    std::string name, content;
  };
  std::string folder_;
  std::vector<File> files_;
};

}  // namespace bytecnn::exporter
