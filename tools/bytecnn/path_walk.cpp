#include "path_walk.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <sys/stat.h>

namespace bytecnn::cli {
namespace {

std::string reason_of(int code) {
  return std::generic_category().message(code);
}

/// Names in `path`, those that sort last first. On failure `code` tells why.
std::vector<std::string> names_in(const std::string& path, int& code) {
  std::vector<std::string> names;
  const auto close = [](DIR* folder) { ::closedir(folder); };
  const std::unique_ptr<DIR, decltype(close)> folder(::opendir(path.c_str()), close);
  if (!folder) {
    code = errno;
    return names;
  }
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): this stream is ours alone
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  code = errno;
  std::ranges::sort(names, std::greater<>());
  return names;
}

}  // namespace

std::optional<WalkedPath> PathWalk::next() {
  for (;;) {
    while (!folders_.empty()) {
      if (auto found = next_in_folder()) return found;
    }
    if (next_path_ == paths_.size()) return std::nullopt;
    std::string path = std::move(paths_[next_path_++]);
    struct stat status {};
    if (policy_ == FolderPolicy::refuse || path == "-" || ::stat(path.c_str(), &status) != 0 ||
        !S_ISDIR(status.st_mode)) {
      return WalkedPath{std::move(path), {}};  // whoever opens it finds out what is wrong
    }
    if (auto failed = enter(std::move(path), {status.st_dev, status.st_ino})) return failed;
  }
}

std::optional<WalkedPath> PathWalk::next_in_folder() {
  Folder& folder = folders_.back();
  if (folder.names.empty()) {
    folders_.pop_back();
    return std::nullopt;
  }
  std::string path = folder.path + (folder.path.ends_with('/') ? "" : "/") + folder.names.back();
  folder.names.pop_back();
  return visit(std::move(path));
}

std::optional<WalkedPath> PathWalk::visit(std::string path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return WalkedPath{std::move(path), "cannot read it: " + reason_of(errno)};
  }
  const bool is_link = S_ISLNK(status.st_mode);
  if (is_link && ::stat(path.c_str(), &status) != 0) {
    return WalkedPath{std::move(path), "cannot follow the link: " + reason_of(errno)};
  }
  if (S_ISREG(status.st_mode)) return WalkedPath{std::move(path), {}};
  if (!S_ISDIR(status.st_mode)) {
    // Reading a pipe or a device that happens to lie there could wait forever.
    return WalkedPath{std::move(path), "neither a file nor a folder; name it on the command line to read it"};
  }
  if (is_link && policy_ != FolderPolicy::enter_and_follow) {
    ++links_not_followed_;
    return std::nullopt;
  }
  return enter(std::move(path), {status.st_dev, status.st_ino});
}

std::optional<WalkedPath> PathWalk::enter(std::string path, std::pair<dev_t, ino_t> identity) {
  for (const Folder& outer : folders_) {
    if (outer.identity == identity) {
      return WalkedPath{std::move(path), "a link back to " + outer.path + ", which would never end"};
    }
  }
  int code = 0;
  auto names = names_in(path, code);
  if (code != 0) return WalkedPath{std::move(path), "cannot read the folder: " + reason_of(code)};
  folders_.push_back({std::move(path), identity, std::move(names)});
  return std::nullopt;
}

}  // namespace bytecnn::cli
