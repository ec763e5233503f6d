#include "file_bytes.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

namespace fs = std::filesystem;

std::string reason(int number) {
  return std::generic_category().message(number);
}

/// A file under a temporary name, removed unless it was renamed.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& folder, const std::string& name, std::string_view content) : final_(folder / name) {
    path_ = (folder / ("." + name + ".tmp-XXXXXX")).string();
    const int descriptor = ::mkstemp(path_.data());
    if (descriptor < 0) {
      path_.clear();
      fail("cannot create a file in this folder: ", errno);
    }
    const mode_t mask = ::umask(0);
    ::umask(mask);
    bool written = ::fchmod(descriptor, 0666U & ~mask) == 0;
    while (written && !content.empty()) {
      const ssize_t count = ::write(descriptor, content.data(), content.size());
      if (count < 0 && errno == EINTR) continue;
      written = count > 0;
      if (written) content.remove_prefix(static_cast<std::size_t>(count));
    }
    const int failure = errno;
    if (::close(descriptor) != 0 || !written) {
      remove();
      fail("cannot write the file: ", written ? errno : failure);
    }
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() { remove(); }

  void rename() {
    std::error_code error;
    fs::rename(path_, final_, error);
    if (error) fail("cannot give the file its name: ", error.value());
    path_.clear();
  }
  [[nodiscard]] std::string path() const { return final_.string(); }

 private:
  void remove() noexcept {
    if (!path_.empty()) ::unlink(path_.c_str());
    path_.clear();
  }
  [[noreturn]] void fail(const std::string& what, int number) const {
    throw Error(ErrorCode::io, what + reason(number), final_.string());
  }

  std::string path_;
  fs::path final_;
};

/// The folders that had to be made, outermost first.
std::vector<fs::path> make_folders(const fs::path& folder) {
  std::vector<fs::path> made;
  for (fs::path part = fs::absolute(folder).lexically_normal(); !part.empty() && !fs::exists(part);
       part = part.parent_path()) {
    made.insert(made.begin(), part);
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error(ErrorCode::io, "cannot make this folder: " + error.message(), folder.string());
  return made;
}

}  // namespace

std::string read_small_file(const std::string& path, std::size_t limit) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw Error(ErrorCode::io, "this is a folder, not a file", path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "cannot open the file: " + reason(errno), path);
  std::string text;  // grows with what is there: a limit may be far beyond the file
  std::vector<char> block(1U << 16U);
  while (file && text.size() <= limit) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    text.append(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw Error(ErrorCode::io, "cannot read the file: " + reason(errno), path);
  if (text.size() > limit) {
    throw Error(ErrorCode::limit, "the file is too large", path, "at most " + std::to_string(limit) + " bytes");
  }
  return text;
}

std::vector<std::string> OutputFiles::commit() {
  const std::vector<fs::path> made = make_folders(folder_);
  std::vector<std::string> renamed;
  try {
    std::vector<std::unique_ptr<TemporaryFile>> temporary;
    temporary.reserve(files_.size());
    for (const File& file : files_)
      temporary.push_back(std::make_unique<TemporaryFile>(folder_, file.name, file.content));
    renamed.reserve(files_.size());
    for (const auto& file : temporary) {
      file->rename();
      renamed.push_back(file->path());
    }
  } catch (...) {
    std::error_code ignored;
    for (const std::string& path : renamed) fs::remove(path, ignored);
    for (auto part = made.rbegin(); part != made.rend(); ++part) fs::remove(*part, ignored);
    throw;
  }
  return renamed;
}

}  // namespace bytecnn::exporter
