#include "torch_for_tests.hpp"

#include <cstdlib>

namespace bytecnn::exporter::testing {

TorchBackend& torch_for_tests() {
  ::setenv("BYTECNN_TORCH_MODULE", BYTECNN_TORCH_MODULE_FILE, 0);
  return torch_backend();
}

}  // namespace bytecnn::exporter::testing
