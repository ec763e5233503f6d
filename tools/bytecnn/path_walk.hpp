#pragma once
/// The files that paths of a command line stand for: a file for itself, a folder for every file under it. What is not a
/// file is told, never passed over.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace bytecnn::cli {

enum class FolderPolicy : std::uint8_t {
  refuse,            ///< a folder is handed out as it is, and reading it fails
  enter,             ///< its files and folders, not the folders behind symbolic links
  enter_and_follow,  ///< those too, unless a link leads back to a folder that is being walked
};

struct WalkedPath {
  std::string path;
  std::string error;  ///< not empty: it cannot be an input, and this is why
};

/// Hands out one path after the other; of each folder the names in the order of their bytes, so that the order depends
/// on nothing but the names. Memory: the names of the folders on the way down.
class PathWalk {
 public:
  PathWalk(std::vector<std::string> paths, FolderPolicy policy) : paths_(std::move(paths)), policy_(policy) {}

  [[nodiscard]] std::optional<WalkedPath> next();
  /// Links to folders that were not entered.
  [[nodiscard]] std::uint64_t links_not_followed() const noexcept { return links_not_followed_; }

 private:
  struct Folder {
    std::string path;
    std::pair<dev_t, ino_t> identity;
    std::vector<std::string> names;  ///< the next one is the last
  };

  std::optional<WalkedPath> next_in_folder();
  /// What `path`, found in a folder, stands for; nothing where it is a folder that was entered or passed over.
  std::optional<WalkedPath> visit(std::string path);
  /// An error, or nothing and the folder is the innermost one of the walk.
  std::optional<WalkedPath> enter(std::string path, std::pair<dev_t, ino_t> identity);

  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  FolderPolicy policy_;
  std::vector<Folder> folders_;
  std::uint64_t links_not_followed_ = 0;
};

}  // namespace bytecnn::cli
