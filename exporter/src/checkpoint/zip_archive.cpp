#include "checkpoint/zip_archive.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <zlib.h>

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::uint32_t local_header_signature = 0x04034b50;
constexpr std::uint32_t directory_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t zip64_locator_signature = 0x07064b50;
constexpr std::uint32_t zip64_end_signature = 0x06064b50;
constexpr std::size_t end_record_size = 22;
constexpr std::size_t zip64_locator_size = 20;
constexpr std::size_t zip64_end_size = 56;
constexpr std::size_t local_header_size = 30;
constexpr std::size_t max_comment = 65535;
constexpr std::size_t max_name = 1024;
constexpr std::size_t max_names = 8U << 20U;  // of all entries together
constexpr std::uint32_t in_zip64_field = 0xffffffff;
// Deflate cannot do better than 1032 to 1 (RFC 1951: 258 bytes out of two bits); weights do not come near 200 to 1.
constexpr std::uint64_t deflate_ratio = 1032;
constexpr std::uint64_t suspicious_ratio = 200;
constexpr std::uint64_t suspicious_size = 16U << 20U;

struct Directory {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

std::string quoted(std::string_view name) {
  return "zip entry '" + printable(name) + "'";
}

/// The end-of-central-directory record stands at the very end, but for a comment of up to 64 KiB.
std::size_t find_end_record(ByteSpan bytes) {
  if (bytes.size() >= end_record_size) {
    const std::size_t last = bytes.size() - end_record_size;
    const std::size_t first = last > max_comment ? last - max_comment : 0;
    for (std::size_t at = last + 1; at-- > first;) {
      if (load_little_endian<std::uint32_t>(&bytes[at]) != end_signature) continue;
      const auto comment = load_little_endian<std::uint16_t>(&bytes[at + 20]);
      if (at + end_record_size + comment == bytes.size()) return at;
    }
  }
  throw Error(ErrorCode::syntax,
              "the zip's directory is missing: the file is truncated or damaged; copy or download it again");
}

Directory find_directory(ByteSpan bytes) {
  const std::size_t end = find_end_record(bytes);
  ByteReader reader(bytes, "zip end record", end + 4);
  const auto disk = reader.number<std::uint16_t>();
  const auto directory_disk = reader.number<std::uint16_t>();
  const auto entries_here = reader.number<std::uint16_t>();
  Directory directory;
  directory.entries = reader.number<std::uint16_t>();
  directory.size = reader.number<std::uint32_t>();
  directory.offset = reader.number<std::uint32_t>();
  if (disk != directory_disk || (disk != 0 && disk != 0xffff)) {
    throw Error(ErrorCode::unsupported, "a zip that spans several files");
  }

  const bool has_locator =
      end >= zip64_locator_size &&
      load_little_endian<std::uint32_t>(&bytes[end - zip64_locator_size]) == zip64_locator_signature;
  if (has_locator) {
    const auto at = load_little_endian<std::uint64_t>(&bytes[end - zip64_locator_size + 8]);
    if (at > bytes.size() || bytes.size() - at < zip64_end_size ||
        load_little_endian<std::uint32_t>(&bytes[static_cast<std::size_t>(at)]) != zip64_end_signature) {
      throw Error(ErrorCode::syntax, "the zip64 end record is not where its locator says");
    }
    ByteReader zip64(bytes, "zip64 end record", static_cast<std::size_t>(at) + 32);
    directory.entries = zip64.number<std::uint64_t>();
    directory.size = zip64.number<std::uint64_t>();
    directory.offset = zip64.number<std::uint64_t>();
  } else if (entries_here != directory.entries) {
    throw Error(ErrorCode::syntax, "the zip's end record contradicts itself in the number of entries", {},
                std::to_string(directory.entries), std::to_string(entries_here));
  }
  if (directory.offset > bytes.size() || directory.size > bytes.size() - directory.offset) {
    throw Error(ErrorCode::syntax, "the zip's directory lies outside the file");
  }
  return directory;
}

/// Names go into messages and select tensors; none of them is ever a path of this machine. PyTorch never writes these.
void check_name(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 32; });
  bool climbs = name.empty() || name.front() == '/' || name.find('\\') != std::string_view::npos;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    if (name.substr(begin, end - begin) == "..") climbs = true;
    begin = end + 1;
  }
  if (control || climbs) {
    throw Error(ErrorCode::invalid,
                "a zip entry's name is a path that leaves the archive; PyTorch does not write such names",
                quoted(name));
  }
}

/// Sizes and offset of 2^32 and above stand in the extra field of id 1, in this order.
void read_zip64_extra(ByteSpan extra, ZipEntry& entry, std::uint64_t& header) {
  ByteReader reader(extra, "zip extra field");
  while (reader.remaining() >= 4) {
    const auto id = reader.number<std::uint16_t>();
    const auto size = reader.number<std::uint16_t>();
    if (size > reader.remaining()) return;  // padding of some writers; nothing in it concerns us
    const ByteSpan field = reader.take(size);
    if (id != 1) continue;
    ByteReader numbers(field, "zip64 extra field");
    if (entry.size == in_zip64_field) entry.size = numbers.number<std::uint64_t>();
    if (entry.compressed_size == in_zip64_field) entry.compressed_size = numbers.number<std::uint64_t>();
    if (header == in_zip64_field) header = numbers.number<std::uint64_t>();
    return;
  }
}

std::vector<std::byte> inflate_entry(ByteSpan packed, std::uint64_t size) {
  constexpr std::size_t largest_step = std::numeric_limits<uInt>::max();
  // One byte more than declared: data that unpacks to more than it says is found, not cut.
  std::vector<std::byte> out(static_cast<std::size_t>(size) + 1);
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(ErrorCode::limit, "out of memory while unpacking");
  std::size_t consumed = 0;
  std::size_t produced = 0;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t in_step = std::min(packed.size() - consumed, largest_step);
    const std::size_t out_step = std::min(out.size() - produced, largest_step);
    // zlib's interface is not const-correct; it does not write to its input.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data() + consumed));
    stream.avail_in = static_cast<uInt>(in_step);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + produced);
    stream.avail_out = static_cast<uInt>(out_step);
    status = inflate(&stream, Z_NO_FLUSH);
    consumed += in_step - stream.avail_in;
    produced += out_step - stream.avail_out;
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || produced != size) {
    throw Error(ErrorCode::syntax, "damaged deflate data", {}, std::to_string(size) + " bytes",
                status == Z_STREAM_END || produced > size ? std::to_string(produced) : "a broken stream");
  }
  out.pop_back();
  return out;
}

}  // namespace

ZipArchive::ZipArchive(ByteSpan bytes, const CheckpointLimits& limits) : bytes_(bytes) {
  const Directory directory = find_directory(bytes);
  if (directory.entries > limits.max_entries) {
    throw Error(ErrorCode::limit, "the zip has too many entries", {}, "at most " + std::to_string(limits.max_entries),
                std::to_string(directory.entries));
  }
  ByteReader reader(bytes.subspan(static_cast<std::size_t>(directory.offset), static_cast<std::size_t>(directory.size)),
                    "zip directory");
  std::uint64_t unpacked = 0;
  for (std::uint64_t i = 0; i < directory.entries; ++i) read_entry(reader, limits, unpacked);
  if (entries_.empty()) throw Error(ErrorCode::syntax, "the zip is empty: not a PyTorch checkpoint");
  check_no_overlap(directory.offset);
  has_checksums_ = std::any_of(entries_.begin(), entries_.end(), [](const ZipEntry& entry) { return entry.crc != 0; });
  std::sort(entries_.begin(), entries_.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  const auto twice = std::adjacent_find(entries_.begin(), entries_.end(),
                                        [](const ZipEntry& a, const ZipEntry& b) { return a.name == b.name; });
  if (twice != entries_.end())
    throw Error(ErrorCode::invalid, "the zip holds two entries of this name", quoted(twice->name));
}

void ZipArchive::read_entry(ByteReader& directory, const CheckpointLimits& limits, std::uint64_t& unpacked) {
  if (directory.number<std::uint32_t>() != directory_signature) {
    throw Error(ErrorCode::syntax, "the zip's directory is damaged at entry " + std::to_string(header_offsets_.size()));
  }
  ZipEntry entry;
  (void)directory.take(4);  // versions
  const auto flags = directory.number<std::uint16_t>();
  const auto method = directory.number<std::uint16_t>();
  (void)directory.take(4);  // time and date
  entry.crc = directory.number<std::uint32_t>();
  entry.compressed_size = directory.number<std::uint32_t>();
  entry.size = directory.number<std::uint32_t>();
  const auto name_length = directory.number<std::uint16_t>();
  const auto extra_length = directory.number<std::uint16_t>();
  const auto comment_length = directory.number<std::uint16_t>();
  (void)directory.take(8);  // disk and attributes
  std::uint64_t header = directory.number<std::uint32_t>();
  if (name_length > max_name) throw Error(ErrorCode::limit, "a zip entry's name is longer than 1024 bytes");
  names_size_ += name_length;
  if (names_size_ > max_names) throw Error(ErrorCode::limit, "the names of the zip's entries are too long");
  entry.name = as_text(directory.take(name_length));
  read_zip64_extra(directory.take(extra_length), entry, header);
  (void)directory.take(comment_length);

  const std::string where = quoted(entry.name);
  check_name(entry.name);
  if ((flags & 1U) != 0) throw Error(ErrorCode::unsupported, "the entry is encrypted", where);
  if (method != 0 && method != 8) {
    throw Error(ErrorCode::unsupported, "unknown compression; repack the archive with store or deflate", where,
                "method 0 or 8", std::to_string(method));
  }
  entry.deflated = method == 8;
  if (header > bytes_.size() || bytes_.size() - header < local_header_size ||
      load_little_endian<std::uint32_t>(&bytes_[static_cast<std::size_t>(header)]) != local_header_signature) {
    throw Error(ErrorCode::syntax, "the directory points to a place without an entry", where);
  }
  ByteReader local(bytes_, "zip entry", static_cast<std::size_t>(header) + 26);
  const auto local_name_length = local.number<std::uint16_t>();
  const auto local_extra_length = local.number<std::uint16_t>();
  if (local_name_length != name_length || as_text(local.take(local_name_length)) != entry.name) {
    throw Error(ErrorCode::invalid, "the entry and the directory state different names", where);
  }
  (void)local.take(local_extra_length);
  entry.offset = local.position();
  if (entry.compressed_size > bytes_.size() - entry.offset) {
    throw Error(ErrorCode::syntax, "the entry's data lies outside the file", where);
  }
  if (!entry.deflated && entry.size != entry.compressed_size) {
    throw Error(ErrorCode::syntax, "a stored entry states two sizes", where, std::to_string(entry.compressed_size),
                std::to_string(entry.size));
  }
  if (entry.deflated && entry.size / deflate_ratio > entry.compressed_size + 1) {
    throw Error(ErrorCode::invalid, "no deflate data can unpack to the stated size", where);
  }
  if (entry.size > limits.max_unpacked_bytes || (unpacked += entry.size) > limits.max_unpacked_bytes) {
    throw Error(ErrorCode::limit, "the archive unpacks to too much", where,
                "at most " + std::to_string(limits.max_unpacked_bytes) + " bytes in all");
  }
  header_offsets_.push_back(header);
  entries_.push_back(std::move(entry));
}

/// Entries that share bytes make an archive of a megabyte unpack to terabytes, and mean different things to different
/// readers. No writer produces them.
void ZipArchive::check_no_overlap(std::uint64_t directory_offset) const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  ranges.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    ranges.emplace_back(header_offsets_[i], entries_[i].offset + entries_[i].compressed_size);
  }
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t end = 0;
  for (const auto& range : ranges) {
    if (range.first < end) throw Error(ErrorCode::invalid, "entries of the zip overlap");
    end = range.second;
  }
  if (end > directory_offset) throw Error(ErrorCode::invalid, "entries of the zip overlap its directory");
}

const ZipEntry* ZipArchive::find(std::string_view name) const noexcept {
  const auto at = std::lower_bound(entries_.begin(), entries_.end(), name,
                                   [](const ZipEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != entries_.end() && at->name == name ? &*at : nullptr;
}

void ZipArchive::check_crc(const ZipEntry& entry, ByteSpan data) const {
  if (!has_checksums_) return;
  const uLong crc = crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.empty() ? 0 : data.size());
  if (crc != entry.crc) {
    throw Error(ErrorCode::invalid, "the CRC-32 does not match: the file is damaged; copy or download it again",
                quoted(entry.name));
  }
}

EntryBytes ZipArchive::read(const ZipEntry& entry, std::uint64_t limit) const {
  if (entry.size > limit) {
    throw Error(ErrorCode::limit, "the entry is too large", quoted(entry.name),
                "at most " + std::to_string(limit) + " bytes", std::to_string(entry.size));
  }
  const ByteSpan packed =
      bytes_.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.compressed_size));
  if (!entry.deflated) {
    check_crc(entry, packed);
    return EntryBytes(packed);
  }
  if (entry.size > suspicious_size && entry.size / suspicious_ratio > entry.compressed_size) {
    throw Error(ErrorCode::limit, "the entry unpacks to more than 200 times its size: not weights", quoted(entry.name));
  }
  try {
    EntryBytes unpacked(inflate_entry(packed, entry.size));
    check_crc(entry, unpacked.bytes());
    return unpacked;
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw error.at(quoted(entry.name));
  }
}

void ZipArchive::check_stored_entries() const {
  for (const ZipEntry& entry : entries_) {
    if (!entry.deflated) {
      check_crc(entry, bytes_.subspan(static_cast<std::size_t>(entry.offset), static_cast<std::size_t>(entry.size)));
    }
  }
}

}  // namespace bytecnn::exporter
