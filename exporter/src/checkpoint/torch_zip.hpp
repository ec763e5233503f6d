#pragma once
/// The zip container of torch.save (PyTorch 1.6 and later) and of TorchScript.

#include <string_view>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

[[nodiscard]] Checkpoint read_torch_zip(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits);

}  // namespace bytecnn::exporter
