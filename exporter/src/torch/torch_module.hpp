#pragma once
/// What the libtorch module and the program agree on beyond `TorchBackend` itself.

#include "torch/torch_backend.hpp"

namespace bytecnn::exporter {

/// Name of the module's only entry point. It carries the number of the interface: a module of another build has no such
/// symbol and is refused, instead of being called with another idea of `Original`.
inline constexpr const char* torch_module_entry = "bytecnn_torch_backend_1";
using TorchModuleEntry = TorchBackend* (*)();

}  // namespace bytecnn::exporter
