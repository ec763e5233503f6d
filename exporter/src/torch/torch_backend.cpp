#include "torch/torch_backend.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include <dlfcn.h>

#include "bytecnn/error.hpp"

#include "torch/torch_module.hpp"

#ifndef BYTECNN_TORCH_MODULE_NAME
#define BYTECNN_TORCH_MODULE_NAME "libbytecnn_torch.so"
#endif

namespace bytecnn::exporter {
namespace {

namespace fs = std::filesystem;

/// Where the module may lie: named by the user, beside the program (build folder), or installed next to its bin folder
/// (lib/bytecnn, lib64/bytecnn, lib/x86_64-linux-gnu/bytecnn).
std::vector<fs::path> module_places() {
  if (const char* named = std::getenv("BYTECNN_TORCH_MODULE"); named != nullptr && *named != '\0') {
    return {fs::path(named)};
  }
  std::vector<fs::path> places;
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    const fs::path beside = program.parent_path();
    places.push_back(beside / BYTECNN_TORCH_MODULE_NAME);
#ifdef BYTECNN_TORCH_MODULE_INSTALL_DIR  // relative to the program's folder
    places.push_back((beside / BYTECNN_TORCH_MODULE_INSTALL_DIR / BYTECNN_TORCH_MODULE_NAME).lexically_normal());
#endif
    for (const char* folder : {"lib", "lib64"}) {
      places.push_back(beside.parent_path() / folder / "bytecnn" / BYTECNN_TORCH_MODULE_NAME);
    }
  }
  return places;
}

TorchBackend& open_module() {
  const auto places = module_places();
  std::string looked;
  for (const auto& place : places) {
    looked += (looked.empty() ? "" : ", ") + place.string();
    std::error_code ignored;
    if (!fs::exists(place, ignored)) continue;

    // One input at a time runs here: a pool of BLAS threads only adds start-up time and noise to it.
    ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
    ::setenv("OMP_NUM_THREADS", "1", 0);
    void* module = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) {
      const char* why = ::dlerror();
      throw Error(
          ErrorCode::io,
          "the libtorch module cannot be opened; is libtorch installed (Debian: apt-get install libtorch-dev)? " +
              std::string(why == nullptr ? "" : why),
          place.string());
    }
    void* entry = ::dlsym(module, torch_module_entry);
    if (entry == nullptr) {
      throw Error(ErrorCode::io, "this libtorch module belongs to another version of ByteCNN; rebuild or reinstall it",
                  place.string(), torch_module_entry);
    }
    // The module is never closed: libtorch does not survive being unloaded.
    return *reinterpret_cast<TorchModuleEntry>(entry)();  // NOLINT: dlsym's way of handing out a function
  }
  throw Error(
      ErrorCode::io,
      "the libtorch module " BYTECNN_TORCH_MODULE_NAME
      ", which verifies exports and reads TorchScript files, was not found; install the Debian package "
      "bytecnn-verify, or build ByteCNN with its exporter, or let BYTECNN_TORCH_MODULE name the file (a state dict "
      "is exported without it by --no-verify)",
      {}, "one of: " + looked);
}

}  // namespace

TorchBackend& torch_backend() {
  static TorchBackend& backend = open_module();
  return backend;
}

}  // namespace bytecnn::exporter
