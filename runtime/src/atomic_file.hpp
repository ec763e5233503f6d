#pragma once

#include <string>
#include <string_view>

namespace bytecnn {

/// Writes `content` under a temporary name in the folder of `path` and renames it over `path`, so that a reader sees
/// the old file or the new one, whole. Throws `Error` (io) and leaves nothing behind.
void write_file_atomically(const std::string& path, std::string_view content);

}  // namespace bytecnn
