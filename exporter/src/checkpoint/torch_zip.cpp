#include "checkpoint/torch_zip.hpp"

#include "checkpoint/state_dict_selection.hpp"
#include "checkpoint/tensor_rebuild.hpp"
#include "checkpoint/torch_archive.hpp"
#include "checkpoint/torch_globals.hpp"
#include "checkpoint/torchscript_archive.hpp"

namespace bytecnn::exporter {

Checkpoint read_torch_zip(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits) {
  const TorchArchive archive(bytes, limits);
  Checkpoint checkpoint;
  if (!archive.zip().has_checksums()) {
    checkpoint.warnings.emplace_back("the archive was written without checksums: damage cannot be noticed");
  }
  if (archive.find("constants.pkl") != nullptr) {
    read_torchscript_archive(archive, limits, checkpoint);
    return checkpoint;
  }
  checkpoint.container = "zip";
  const PickleRecord pickle = archive.run(*archive.find("data.pkl"));
  TensorRebuilder rebuilder(pickle.graph, archive.storages("data/"), archive.big_endian(), limits);
  list_opaque(pickle.graph, checkpoint);
  select_state_dict(pickle.graph, pickle.root, rebuilder, key, limits, checkpoint);
  return checkpoint;
}

}  // namespace bytecnn::exporter
