#pragma once
/// The container of torch.save before PyTorch 1.6, and of `_use_new_zipfile_serialization=False`: five pickles and the
/// storages, one after the other.

#include <string_view>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

[[nodiscard]] Checkpoint read_legacy_container(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits);

}  // namespace bytecnn::exporter
