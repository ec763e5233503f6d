#pragma once
#include "torch/torch_backend.hpp"

namespace bytecnn::exporter::testing {

/// libtorch, through the module of this build (test programs do not lie beside it).
[[nodiscard]] TorchBackend& torch_for_tests();

}  // namespace bytecnn::exporter::testing
