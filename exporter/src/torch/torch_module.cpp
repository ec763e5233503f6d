/// The module that `torch_backend.cpp` opens: the only part of ByteCNN that is linked with libtorch.

#include "torch/torch_module.hpp"

#include <memory>
#include <string>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/version.h>

#include "torch/rebuilt_model.hpp"
#include "torch/torchscript_module.hpp"

namespace bytecnn::exporter {
namespace {

/// libtorch's hints on performance ("padding='same' with even kernel lengths may require a copy") are not for our
/// users.
class Silence final : public c10::WarningHandler {
 public:
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning& /*warning*/) override {}
#else
  void process(const c10::SourceLocation& /*place*/, const std::string& /*message*/, bool /*verbatim*/) override {}
#endif
};

#if TORCH_VERSION_MAJOR >= 2
namespace warnings = c10::WarningUtils;
#else
namespace warnings = c10::Warning;
#endif

class Libtorch final : public TorchBackend {
 public:
  // One input at a time: more threads would only wait for each other.
  Libtorch() {
    at::set_num_threads(1);
    warnings::set_warning_handler(&silence_);
  }

  [[nodiscard]] std::string version() const override { return TORCH_VERSION; }

  [[nodiscard]] std::unique_ptr<OriginalRunner> rebuild(const Original& original) override {
    return std::make_unique<RebuiltModel>(original);
  }

  [[nodiscard]] Original describe_torchscript(const std::string& path) override {
    return typed_graph(*load_frozen_graph(path), at::kDouble, path).structure.original;
  }

  [[nodiscard]] std::unique_ptr<OriginalRunner> run_torchscript(const std::string& path,
                                                                const Architecture& architecture) override {
    return std::make_unique<TorchscriptModule>(path, architecture);
  }

 private:
  Silence silence_;
};

}  // namespace
}  // namespace bytecnn::exporter

extern "C" __attribute__((visibility("default"))) bytecnn::exporter::TorchBackend* bytecnn_torch_backend_1() {
  static bytecnn::exporter::Libtorch backend;
  return &backend;
}
