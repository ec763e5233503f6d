#pragma once
/// Files that commands write beside their output.

#include <string>
#include <string_view>

namespace bytecnn::cli {

/// Writes `content` to a temporary name beside `path` and renames it, so that nobody sees half a file; into a device or
/// a pipe directly. Throws `OutputError`.
void write_output_file(const std::string& path, std::string_view content);

}  // namespace bytecnn::cli
