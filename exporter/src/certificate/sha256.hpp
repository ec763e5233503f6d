#pragma once
/// SHA-256 (FIPS 180-4) through libmd: a library of a few kilobytes that every Debian system holds, so that `bytecnn`
/// need not load a whole TLS library to compare a hash.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bytecnn {

/// The digest in 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);
[[nodiscard]] std::string sha256(std::string_view text);

/// Of a file's bytes, read in blocks. Throws `Error` (io) that names the file.
[[nodiscard]] std::string sha256_of_file(const std::string& path);

}  // namespace bytecnn
