#pragma once
/// What a model file calls its weights.

#include <cstddef>
#include <string>

namespace bytecnn {

/// "conv1", "conv2", ... for the 0-based layer.
[[nodiscard]] inline std::string conv_name(std::size_t layer) {
  return "conv" + std::to_string(layer + 1);
}

/// One hidden dense layer is the "classifier"; several are "dense1", "dense2", ...
[[nodiscard]] inline std::string dense_name(std::size_t layer, std::size_t layers) {
  return layers == 1 ? "classifier" : "dense" + std::to_string(layer + 1);
}

}  // namespace bytecnn
