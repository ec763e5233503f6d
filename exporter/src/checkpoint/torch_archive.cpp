#include "checkpoint/torch_archive.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "checkpoint/pickle_machine.hpp"
#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::uint64_t max_short_record = 4096;
// A pickle in a deflated entry costs memory that the file does not show; real ones shrink five times or so.
constexpr std::uint64_t free_pickle = 16U << 20U;
constexpr std::uint64_t pickle_ratio = 4;

}  // namespace

TorchArchive::TorchArchive(ByteSpan bytes, const CheckpointLimits& limits) : limits_(limits), archive_(bytes, limits) {
  find_root();
  check_version();
  read_byte_order();
  archive_.check_stored_entries();
}

/// All records lie in one folder, named after the file; the one with data.pkl in it.
void TorchArchive::find_root() {
  std::size_t found = 0;
  for (const ZipEntry& entry : archive_.entries()) {
    const std::string_view name = entry.name;
    if (!name.ends_with("/data.pkl")) continue;
    ++found;
    root_ = name.substr(0, name.size() - 8);
  }
  if (found == 1) return;
  if (found > 1)
    throw Error(ErrorCode::ambiguous, "the zip holds several data.pkl: several checkpoints in one archive?");
  refuse_foreign_zip();
}

void TorchArchive::refuse_foreign_zip() const {
  const auto any = [&](auto&& test) { return std::any_of(archive_.entries().begin(), archive_.entries().end(), test); };
  if (any([](const ZipEntry& e) {
        return e.name.ends_with("serialized_exported_program.json") || e.name.ends_with("archive_format") ||
               e.name.ends_with("models/model.json") || e.name.ends_with("serialized_state_dict.pt");
      })) {
    throw Error(ErrorCode::unsupported, "a torch.export archive (.pt2): torch.save(model.state_dict(), ...) instead");
  }
  if (any([](const ZipEntry& e) { return e.name.ends_with(".npy"); })) {
    throw Error(ErrorCode::unsupported,
                "a NumPy .npz: load it in Python and torch.save a dict of its arrays, or write safetensors");
  }
  if (any([](const ZipEntry& e) { return e.name.ends_with(".keras") || e.name == "model.weights.h5"; })) {
    throw Error(ErrorCode::unsupported, "a Keras archive; only PyTorch checkpoints and safetensors are read");
  }
  throw Error(ErrorCode::invalid, "the zip has no data.pkl: not a PyTorch checkpoint, or one that was cut", {}, {},
              "'" + printable(archive_.entries().front().name) + "' and " +
                  std::to_string(archive_.entries().size() - 1) + " more entries");
}

std::string TorchArchive::short_record(const std::string& name) const {
  const ZipEntry* entry = find(name);
  if (entry == nullptr) return {};
  const EntryBytes bytes = archive_.read(*entry, max_short_record);
  std::string text(as_text(bytes.bytes()));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
  return text;
}

/// The file format's version, not PyTorch's: 3 since torch.save writes zips, up to 10 for TorchScript so far.
void TorchArchive::check_version() const {
  std::string text = short_record("version");
  if (text.empty()) text = short_record(".data/version");
  if (text.empty()) return;  // repacked by hand
  int version = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), version);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || version < 1 || version > 10) {
    throw Error(ErrorCode::unsupported, "unknown version of the archive format", "version", "1 to 10", printable(text));
  }
}

void TorchArchive::read_byte_order() {
  const std::string text = short_record("byteorder");
  if (!text.empty() && text != "little" && text != "big") {
    throw Error(ErrorCode::invalid, "unknown byte order", "byteorder", "little or big", printable(text));
  }
  big_endian_ = text == "big";
}

PickleRecord TorchArchive::run(const ZipEntry& entry) const {
  const std::uint64_t affordable = free_pickle + pickle_ratio * entry.compressed_size;
  const std::uint64_t limit =
      entry.deflated ? std::min(limits_.max_pickle_bytes, affordable) : limits_.max_pickle_bytes;
  PickleRecord pickle(archive_.read(entry, limit), limits_);
  std::size_t position = 0;
  try {
    pickle.root = run_pickle(pickle.bytes.bytes(), position, pickle.graph, limits_);
  } catch (const Error& error) {
    throw error.at(printable(entry.name));
  }
  return pickle;
}

StorageSource TorchArchive::storages(const std::string& folder) const {
  return [this, folder](const StorageNode& storage) {
    const std::string name = folder + std::string(storage.key);
    const ZipEntry* entry = find(name);
    if (entry == nullptr)
      throw Error(ErrorCode::invalid, "the archive has no entry '" + name + "' with the tensor's data");
    std::int64_t stated = 0;
    if (!multiply(storage.elements, storage.element_bytes, stated) ||
        static_cast<std::uint64_t>(stated) != entry->size) {
      throw Error(ErrorCode::invalid, "entry '" + name + "' has not the size that the pickle states", {},
                  std::to_string(storage.elements) + " elements of " + std::to_string(storage.element_bytes) + " bytes",
                  std::to_string(entry->size) + " bytes");
    }
    return archive_.read(*entry, limits_.max_unpacked_bytes);
  };
}

}  // namespace bytecnn::exporter
