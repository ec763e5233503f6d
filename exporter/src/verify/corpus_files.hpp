#pragma once
/// The user's own inputs, from files.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// One input a line; the newline is not part of it. They are called "NAME line 1", "NAME line 2", ...
[[nodiscard]] std::vector<NamedInput> lines_as_inputs(std::string_view content, const std::string& name);

/// Inputs of one `--corpus` argument: the lines of a file, or every file below a folder whole, in the order of their
/// paths and called after them. Of a file in a folder no more than `longest` bytes are read. Throws `Error` (io, limit)
/// that names the file; a folder without any file is an error as well.
[[nodiscard]] std::vector<NamedInput> load_corpus(const std::string& path, std::size_t longest);

}  // namespace bytecnn::exporter
