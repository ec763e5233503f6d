#pragma once
/// Files that people mistake for checkpoints, known by their first bytes.

#include "checkpoint/byte_reader.hpp"

namespace bytecnn::exporter {

/// Throws `Error` that says what the file is instead of a checkpoint and what to do about it.
[[noreturn]] void refuse_foreign_file(ByteSpan bytes);

}  // namespace bytecnn::exporter
