#pragma once
/// The C++ header export: the model as constant data.

#include <string>
#include <string_view>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter {

/// The namespace of a header: `stem` with everything but letters and digits made harmless, and "_model" behind it, so
/// that it is no keyword and no macro: "ref-10k" -> "ref_10k_model".
[[nodiscard]] std::string cpp_namespace(std::string_view stem);

/// Text of STEM.hpp: the weights as constant data and one function `model()` that gives the `bytecnn::Model`, in the
/// namespace `cpp_namespace(stem)`. It needs the bytecnn headers alone; no file is read and nothing is parsed.
[[nodiscard]] std::string to_cpp(const Model& model, std::string_view stem);

}  // namespace bytecnn::exporter
