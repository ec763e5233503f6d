#pragma once
/// The static Python export: one file that is a whole deployment.

#include <string>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter {

/// Text of STEM_weights.py: MODEL_INFO, ARCHITECTURE, the weights as lists, and `predict(data: bytes) -> list[float]`,
/// which needs nothing but Python's standard library and gives the same scores as the runtime.
[[nodiscard]] std::string to_python(const Model& model);

}  // namespace bytecnn::exporter
