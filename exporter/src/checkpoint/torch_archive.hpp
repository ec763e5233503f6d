#pragma once
/// The zip archive of torch.save and of TorchScript: records in one folder, of which data.pkl describes the object and
/// data/KEY holds the storages.

#include <string>
#include <utility>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/tensor_rebuild.hpp"
#include "checkpoint/zip_archive.hpp"

namespace bytecnn::exporter {

/// One pickle of the archive with the graph that it describes.
struct PickleRecord {
  PickleRecord(EntryBytes data, const CheckpointLimits& limits) : bytes(std::move(data)), graph(limits) {}
  EntryBytes bytes;  // the graph's texts are views of it
  PickleGraph graph;
  NodeId root = 0;
};

class TorchArchive {
 public:
  /// Checks the directory, the version and the checksums of everything that is stored uncompressed.
  /// Throws `Error` that says what the zip is instead where it is none of PyTorch's.
  TorchArchive(ByteSpan bytes, const CheckpointLimits& limits);

  [[nodiscard]] const ZipArchive& zip() const noexcept { return archive_; }
  /// The folder of all records, with its slash: "archive/".
  [[nodiscard]] const std::string& root() const noexcept { return root_; }
  [[nodiscard]] bool big_endian() const noexcept { return big_endian_; }
  /// The record of that name within the folder, null where there is none.
  [[nodiscard]] const ZipEntry* find(const std::string& name) const { return archive_.find(root_ + name); }
  [[nodiscard]] PickleRecord run(const ZipEntry& entry) const;
  /// Storages in `folder` ("data/"), one record each. The archive must outlive the function.
  [[nodiscard]] StorageSource storages(const std::string& folder) const;

 private:
  void find_root();
  [[noreturn]] void refuse_foreign_zip() const;
  [[nodiscard]] std::string short_record(const std::string& name) const;
  void check_version() const;
  void read_byte_order();

  const CheckpointLimits& limits_;
  ZipArchive archive_;
  std::string root_;
  bool big_endian_ = false;
};

}  // namespace bytecnn::exporter
