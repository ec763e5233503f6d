#pragma once
/// Writes zip archives for tests: well-formed ones, and ones with exactly the fault that a test asks for.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bytecnn::exporter::test {

[[nodiscard]] std::vector<std::byte> to_bytes(std::string_view text);

class ArchiveWriter {
 public:
  struct Options {
    bool deflate = false;
    bool encrypted = false;
    std::uint16_t method = 0xffff;  ///< 0xffff: what `deflate` says
    std::int64_t stated_size = -1;  ///< -1: the true one
    std::int64_t stated_packed_size = -1;
    std::int64_t crc = -1;     ///< -1: the true one
    std::string local_name{};  ///< empty: the same as in the directory
    bool zip64 = false;        ///< sizes and offset in the extra field
  };

  explicit ArchiveWriter(std::string root = "archive/") : root_(std::move(root)) {}

  ArchiveWriter& add(const std::string& name, std::string_view data) { return add(name, data, Options()); }
  ArchiveWriter& add(const std::string& name, std::string_view data, const Options& options);
  /// Writes no checksums at all from now on, as torch.serialization.set_crc32_options(False) does.
  ArchiveWriter& without_checksums();
  /// Deflates every entry from now on.
  ArchiveWriter& deflated();
  /// An entry of the directory that points to the data of an entry written before: overlapping entries.
  ArchiveWriter& alias(const std::string& name);

  [[nodiscard]] std::vector<std::byte> finish(std::string_view comment = {}) const;
  [[nodiscard]] std::vector<std::byte> finish_zip64() const;

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset, size, packed_size;
    std::uint32_t crc;
    std::uint16_t method, flags;
    bool zip64;
  };
  [[nodiscard]] std::string directory() const;

  std::string root_;
  std::string body_;
  std::vector<Entry> entries_;
  bool checksums_ = true;
  bool deflate_all_ = false;
};

}  // namespace bytecnn::exporter::test
