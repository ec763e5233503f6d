#pragma once
/// What a checkpoint file holds, read without executing anything and without libtorch.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bytecnn::exporter {

enum class DType : std::uint8_t { f16, bf16, f32, f64, i8, i16, i32, i64, u8, boolean };

/// "float32", "bfloat16", ...
[[nodiscard]] std::string_view to_string(DType dtype) noexcept;
[[nodiscard]] std::size_t element_size(DType dtype) noexcept;
[[nodiscard]] bool is_floating(DType dtype) noexcept;

/// A dense tensor: contiguous, row-major, native byte order, in the type it was stored in.
struct Tensor {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;

  [[nodiscard]] std::size_t elements() const noexcept;
  /// All elements widened to double (exact for every dtype but i64 beyond 2^53).
  [[nodiscard]] std::vector<double> to_doubles() const;
};

struct NamedTensor {
  std::string name;  ///< without the common prefix, e.g. "conv1.weight"
  Tensor tensor;
  /// Non-empty: the entry is there but cannot be read as a tensor of this family (quantised, sparse, meta, complex,
  /// ...); `tensor` is then empty and this says why.
  std::string unreadable;
};

/// A submodule of a pickled nn.Module, in registration order.
struct Module {
  std::string path;        ///< "features.0"; the root is ""
  std::string class_name;  ///< "torch.nn.modules.conv.Conv1d"
  /// Plain attributes as text: numbers, booleans, strings, tuples "(1,)" as Python prints them.
  std::vector<std::pair<std::string, std::string>> attributes;
};

struct Checkpoint {
  std::string container;  ///< "zip", "legacy", "safetensors", "torchscript"
  /// For people and for model_info.source: "state_dict", "checkpoint", "whole_model", "whole_model_in_checkpoint",
  /// "torchscript", "torchscript_frozen" (its tensors are the constants of the code, "CONSTANTS.c0" ...).
  std::string form;
  std::string key;     ///< the path inside the file at which the state dict was found, e.g. "model_state_dict"
  std::string prefix;  ///< common prefix that was removed, e.g. "module."
  std::vector<NamedTensor> tensors;  ///< in file order
  std::vector<Module> modules;       ///< whole-model pickles only
  /// Scalars found beside the weights ("config.kernel_size" -> "3"): hints to show, never to use silently.
  std::vector<std::pair<std::string, std::string>> hints;
  std::vector<std::string> candidates;  ///< every state dict found, by key
  std::vector<std::string> ignored;     ///< entries outside the chosen state dict (optimizer state, ...)
  std::vector<std::string> opaque;      ///< globals that were named and not executed
  std::vector<std::string> warnings;
  std::map<std::string, std::string> code;  ///< TorchScript sources by entry name
};

struct CheckpointLimits {
  std::uint64_t max_file_bytes = 1ULL << 32U;
  std::uint64_t max_pickle_bytes = 64ULL << 20U;
  std::uint64_t max_unpacked_bytes = 1ULL << 32U;
  std::uint64_t max_entries = 65536;
  std::uint64_t max_instructions = 20'000'000;
  std::uint64_t max_nodes = 8'000'000;
  std::size_t max_rank = 8;
  std::int64_t max_elements = 1LL << 28U;  ///< of one tensor, and of all tensors together
  std::size_t max_modules = 4096;
  std::size_t max_depth = 64;
};

/// Reads a checkpoint from memory. `key` chooses among several state dicts ("ema", "state.model", "." for the top of
/// the file), or among several models within one ("student", where names begin with "student." and "teacher."). Throws
/// `bytecnn::Error` whose place is the entry inside the file (the caller adds the file's name). Executes nothing; time
/// and memory are bounded by `limits` and by the size of `bytes`.
[[nodiscard]] Checkpoint read_checkpoint(std::span<const std::byte> bytes, std::string_view key = {},
                                         const CheckpointLimits& limits = {});

/// The same from a file (memory-mapped); errors name the file.
[[nodiscard]] Checkpoint read_checkpoint_file(const std::string& path, std::string_view key = {},
                                              const CheckpointLimits& limits = {});

}  // namespace bytecnn::exporter
