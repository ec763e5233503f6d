#include "checkpoint/torch_globals.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "checkpoint/printable.hpp"

namespace bytecnn::exporter {
namespace {

bool is_harmless(std::string_view name) {
  static constexpr std::array<std::string_view, 20> exact{"collections.OrderedDict",
                                                          "collections.defaultdict",
                                                          "__builtin__.set",
                                                          "builtins.set",
                                                          "__builtin__.frozenset",
                                                          "builtins.frozenset",
                                                          "_codecs.encode",
                                                          "numpy.ndarray",
                                                          "numpy.dtype",
                                                          "numpy.core.multiarray._reconstruct",
                                                          "numpy._core.multiarray._reconstruct",
                                                          "numpy.core.multiarray.scalar",
                                                          "numpy._core.multiarray.scalar",
                                                          "numpy.core.numeric._frombuffer",
                                                          "numpy._core.numeric._frombuffer",
                                                          "argparse.Namespace",
                                                          "builtins.complex",
                                                          "__builtin__.complex",
                                                          "builtins.bytearray",
                                                          "__builtin__.bytearray"};
  if (std::find(exact.begin(), exact.end(), name) != exact.end()) return true;
  for (const std::string_view family :
       {"torch._utils._rebuild_", "torch._tensor._rebuild_from_type", "torch.storage.UntypedStorage", "torch.nn.",
        "torch.jit._pickle.", "torch.serialization._get_layout", "__torch__."}) {
    if (name.starts_with(family)) return true;
  }
  // torch.FloatStorage, torch.Size, torch.device, torch.float32: one level below torch, except for functions that act.
  static constexpr std::array<std::string_view, 6> acting{
      "torch.load", "torch.save", "torch.compile", "torch.library", "torch.import_ir_module", "torch.hub"};
  const bool one_level = name.starts_with("torch.") && name.find('.', 6) == std::string_view::npos;
  return one_level && std::find(acting.begin(), acting.end(), name) == acting.end();
}

}  // namespace

void list_opaque(const PickleGraph& graph, Checkpoint& checkpoint) {
  for (const std::string& name : graph.globals()) {
    if (!is_harmless(name)) checkpoint.opaque.push_back(printable(name, 200));
  }
}

}  // namespace bytecnn::exporter
