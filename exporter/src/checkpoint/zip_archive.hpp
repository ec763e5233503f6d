#pragma once
/// A zip archive in memory: its directory, and its entries with their checksums.
///
/// Format: PKWARE APPNOTE 6.3, sections 4.3 and 4.4. Stored and deflated entries, zip64; no encryption, no spanning.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

struct ZipEntry {
  std::string name;
  std::uint64_t offset = 0;  ///< of the data in the archive
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;  ///< unpacked
  std::uint32_t crc = 0;
  bool deflated = false;
};

/// The bytes of an entry: a view into the archive where it was stored, else an unpacked copy.
class EntryBytes {
 public:
  explicit EntryBytes(ByteSpan view) noexcept : view_(view) {}
  explicit EntryBytes(std::vector<std::byte> copy) noexcept : copy_(std::move(copy)), view_(copy_) {}
  EntryBytes(EntryBytes&&) noexcept = default;
  EntryBytes& operator=(EntryBytes&&) noexcept = default;
  EntryBytes(const EntryBytes&) = delete;
  EntryBytes& operator=(const EntryBytes&) = delete;
  ~EntryBytes() = default;

  [[nodiscard]] ByteSpan bytes() const noexcept { return view_; }

 private:
  std::vector<std::byte> copy_;
  ByteSpan view_;
};

class ZipArchive {
 public:
  /// Reads and checks the whole directory: places, sizes, names, no two entries of one name, no overlap.
  ZipArchive(ByteSpan bytes, const CheckpointLimits& limits);

  [[nodiscard]] const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  /// Entries are sorted by name; null where there is none of that name.
  [[nodiscard]] const ZipEntry* find(std::string_view name) const noexcept;
  /// Unpacks and checks the CRC-32. Throws `Error` at the entry's name; `limit` bounds the unpacked size.
  [[nodiscard]] EntryBytes read(const ZipEntry& entry, std::uint64_t limit) const;
  /// Checks the CRC-32 of every stored entry, also of those that nobody reads.
  void check_stored_entries() const;
  /// False where the writer left every CRC-32 zero (torch.serialization.set_crc32_options(False)).
  [[nodiscard]] bool has_checksums() const noexcept { return has_checksums_; }

 private:
  void read_entry(ByteReader& directory, const CheckpointLimits& limits, std::uint64_t& unpacked);
  void check_no_overlap(std::uint64_t directory_offset) const;
  void check_crc(const ZipEntry& entry, ByteSpan data) const;

  ByteSpan bytes_;
  std::vector<ZipEntry> entries_;
  std::vector<std::uint64_t> header_offsets_;  // of the local headers, in directory order, to find overlaps
  std::size_t names_size_ = 0;
  bool has_checksums_ = false;
};

}  // namespace bytecnn::exporter
