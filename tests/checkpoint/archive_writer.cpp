#include "archive_writer.hpp"

#include <cstring>
#include <stdexcept>
#include <utility>

#include <zlib.h>

namespace bytecnn::exporter::test {
namespace {

void put(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::string deflate_raw(std::string_view data) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate");
  return out;
}

std::uint32_t crc_of(std::string_view data) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
}

}  // namespace

std::vector<std::byte> to_bytes(std::string_view text) {
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

ArchiveWriter& ArchiveWriter::add(const std::string& name, std::string_view data, const Options& options) {
  const bool pack = options.deflate || deflate_all_;
  const std::string packed = pack ? deflate_raw(data) : std::string(data);
  Entry entry{};
  entry.name = root_ + name;
  entry.offset = body_.size();
  entry.size = options.stated_size >= 0 ? static_cast<std::uint64_t>(options.stated_size) : data.size();
  entry.packed_size =
      options.stated_packed_size >= 0 ? static_cast<std::uint64_t>(options.stated_packed_size) : packed.size();
  entry.crc = options.crc >= 0 ? static_cast<std::uint32_t>(options.crc) : checksums_ ? crc_of(data) : 0;
  entry.method = options.method != 0xffff ? options.method : static_cast<std::uint16_t>(pack ? 8 : 0);
  entry.flags = options.encrypted ? 1 : 0;
  entry.zip64 = options.zip64;
  const std::string local = options.local_name.empty() ? entry.name : options.local_name;
  put(body_, 0x04034b50, 4);
  put(body_, 20, 2);
  put(body_, entry.flags, 2);
  put(body_, entry.method, 2);
  put(body_, 0, 4);
  put(body_, entry.crc, 4);
  put(body_, packed.size(), 4);
  put(body_, data.size(), 4);
  put(body_, local.size(), 2);
  put(body_, 0, 2);
  body_ += local;
  body_ += packed;
  entries_.push_back(std::move(entry));
  return *this;
}

ArchiveWriter& ArchiveWriter::without_checksums() {
  checksums_ = false;
  return *this;
}

ArchiveWriter& ArchiveWriter::deflated() {
  deflate_all_ = true;
  return *this;
}

ArchiveWriter& ArchiveWriter::alias(const std::string& name) {
  Entry entry = entries_.back();
  entry.name = root_ + name;
  entries_.push_back(std::move(entry));
  return *this;
}

std::string ArchiveWriter::directory() const {
  std::string out;
  for (const Entry& entry : entries_) {
    std::string extra;
    if (entry.zip64) {
      put(extra, 1, 2);
      put(extra, 24, 2);
      put(extra, entry.size, 8);
      put(extra, entry.packed_size, 8);
      put(extra, entry.offset, 8);
    }
    const std::uint64_t escaped = 0xffffffff;
    put(out, 0x02014b50, 4);
    put(out, 20, 2);
    put(out, 20, 2);
    put(out, entry.flags, 2);
    put(out, entry.method, 2);
    put(out, 0, 4);
    put(out, entry.crc, 4);
    put(out, entry.zip64 ? escaped : entry.packed_size, 4);
    put(out, entry.zip64 ? escaped : entry.size, 4);
    put(out, entry.name.size(), 2);
    put(out, extra.size(), 2);
    put(out, 0, 2);
    put(out, 0, 8);
    put(out, entry.zip64 ? escaped : entry.offset, 4);
    out += entry.name;
    out += extra;
  }
  return out;
}

std::vector<std::byte> ArchiveWriter::finish(std::string_view comment) const {
  const std::string listing = directory();
  std::string out = body_ + listing;
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, entries_.size(), 2);
  put(out, entries_.size(), 2);
  put(out, listing.size(), 4);
  put(out, body_.size(), 4);
  put(out, comment.size(), 2);
  out += comment;
  return to_bytes(out);
}

std::vector<std::byte> ArchiveWriter::finish_zip64() const {
  const std::string listing = directory();
  std::string out = body_ + listing;
  const std::size_t record = out.size();
  put(out, 0x06064b50, 4);
  put(out, 44, 8);
  put(out, 45, 2);
  put(out, 45, 2);
  put(out, 0, 8);
  put(out, entries_.size(), 8);
  put(out, entries_.size(), 8);
  put(out, listing.size(), 8);
  put(out, body_.size(), 8);
  put(out, 0x07064b50, 4);
  put(out, 0, 4);
  put(out, record, 8);
  put(out, 1, 4);
  put(out, 0x06054b50, 4);
  put(out, 0, 4);
  put(out, 0xffff, 2);
  put(out, 0xffff, 2);
  put(out, 0xffffffff, 4);
  put(out, 0xffffffff, 4);
  put(out, 0, 2);
  return to_bytes(out);
}

}  // namespace bytecnn::exporter::test
