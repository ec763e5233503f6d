#include "certificate/sha256.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>
#include <vector>

#include <sha2.h>

#include "bytecnn/error.hpp"

#include "certificate/hexadecimal.hpp"

namespace bytecnn {
namespace {

class Digest {
 public:
  Digest() { ::SHA256Init(&context_); }
  void add(const void* data, std::size_t size) {
    ::SHA256Update(&context_, static_cast<const std::uint8_t*>(data), size);
  }
  [[nodiscard]] std::string finish() {
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    ::SHA256Final(digest.data(), &context_);
    return to_hexadecimal(std::as_bytes(std::span(digest)));
  }

 private:
  SHA2_CTX context_{};
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.finish();
}

std::string sha256(std::string_view text) {
  return sha256(std::as_bytes(std::span(text)));
}

std::string sha256_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::io, "cannot open the file: " + std::generic_category().message(errno), path);
  Digest digest;
  std::vector<char> block(1U << 16U);
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.add(block.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw Error(ErrorCode::io, "cannot read the file", path);
  return digest.finish();
}

}  // namespace bytecnn
