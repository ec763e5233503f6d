#include "verify/corpus_files.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "bytecnn/error.hpp"

#include "checkpoint/printable.hpp"
#include "file_bytes.hpp"

namespace bytecnn::exporter {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_corpus = std::size_t{1} << 30U;

Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());  // NOLINT: characters are bytes
  return {data, data + text.size()};
}

Bytes beginning_of(const fs::path& path, std::size_t longest) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error(ErrorCode::io, "cannot open the file: " + std::generic_category().message(errno), path.string());
  std::error_code unknown_size;
  const std::uintmax_t size = fs::file_size(path, unknown_size);
  std::string text(unknown_size ? longest : static_cast<std::size_t>(std::min<std::uintmax_t>(size, longest)), '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw Error(ErrorCode::io, "cannot read the file", path.string());
  return bytes_of(std::string_view(text).substr(0, static_cast<std::size_t>(file.gcount())));
}

/// Names go to terminals and into JSON.
std::string shown_name(const fs::path& path) {
  std::string name = path.string();
  return is_clean_utf8(name) ? name : printable(name, 200);
}

std::vector<fs::path> files_below(const std::string& folder) {
  std::vector<fs::path> files;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorCode::io, "cannot read the folder: " + error.code().message(), folder);
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<NamedInput> lines_as_inputs(std::string_view content, const std::string& name) {
  std::vector<NamedInput> lines;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    lines.push_back({name + " line " + std::to_string(lines.size() + 1), bytes_of(content.substr(0, end))});
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return lines;
}

std::vector<NamedInput> load_corpus(const std::string& path, std::size_t longest) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return lines_as_inputs(read_small_file(path, largest_corpus), shown_name(fs::path(path).filename()));
  }
  std::vector<NamedInput> inputs;
  std::size_t total = 0;
  for (const fs::path& file : files_below(path)) {
    inputs.push_back({shown_name(file.lexically_relative(path)), beginning_of(file, longest)});
    total += inputs.back().bytes.size();
    if (total > largest_corpus) {
      throw Error(ErrorCode::limit, "the corpus is too large", path,
                  "at most " + std::to_string(largest_corpus) + " bytes");
    }
  }
  if (inputs.empty()) throw Error(ErrorCode::io, "this folder holds no file to take as an input", path);
  return inputs;
}

}  // namespace bytecnn::exporter
