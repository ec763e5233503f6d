#pragma once
/// TorchScript archives (torch.jit.save): weights by the pickle machine, sources as text. libtorch will load the same
/// file afterwards and believes what stands in it, so everything that it would follow is checked here.

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/torch_archive.hpp"

namespace bytecnn::exporter {

/// Fills container, form, prefix, tensors and code of `checkpoint`. A frozen module has no parameters; its tensors are
/// then the constants of its code, "CONSTANTS.c0" and so on.
/// Throws `Error` where the archive has records that torch.jit.save does not write.
void read_torchscript_archive(const TorchArchive& archive, const CheckpointLimits& limits, Checkpoint& checkpoint);

}  // namespace bytecnn::exporter
