#pragma once
/// libtorch as a contender: eager and TorchScript. The only source that includes libtorch is peers_libtorch.cpp, which
/// is left out where the exporter is not built.

#include <memory>
#include <string>
#include <vector>

#include "bytecnn/model.hpp"

#include "contender.hpp"

namespace bytecnn::bench {

struct LibtorchSetting {
  std::string version;       ///< of libtorch
  std::string blas_library;  ///< the file that libtorch's `sgemm_` resolves to
  std::string blas_config;   ///< what OpenBLAS says of itself; empty for another BLAS
  bool openblas = false;     ///< a reference BLAS would make libtorch a straw man
  int threads = 0;
};

/// Limits libtorch and OpenBLAS to one thread and tells what they run on. Call it once, before any contender is made.
[[nodiscard]] LibtorchSetting prepare_libtorch();

/// "libtorch eager" and "libtorch TorchScript" (frozen and optimised for inference) of a model.
[[nodiscard]] std::vector<std::unique_ptr<Contender>> libtorch_contenders(const Model& model);

}  // namespace bytecnn::bench
