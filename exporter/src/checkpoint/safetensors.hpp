#pragma once
/// safetensors: a length, a JSON header, the tensors' bytes. https://github.com/huggingface/safetensors

#include <string_view>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"

namespace bytecnn::exporter {

/// True where the first bytes look like a header length and the beginning of a JSON object.
[[nodiscard]] bool looks_like_safetensors(ByteSpan bytes) noexcept;

/// `key` chooses a prefix of names ("student"), for files with several models in them.
[[nodiscard]] Checkpoint read_safetensors(ByteSpan bytes, std::string_view key, const CheckpointLimits& limits);

}  // namespace bytecnn::exporter
