#pragma once
/// What the code of a byte CNN may name. Everything else is refused before libtorch sees the file.

#include <string_view>

namespace bytecnn::exporter {

/// Operators "torch.NAME": pure functions of tensors and numbers that such models and PyTorch's own modules use.
/// None of them touches files, processes, memory by address, or the state of the program.
[[nodiscard]] bool is_allowed_operator(std::string_view name) noexcept;
/// "ops.prim.NAME".
[[nodiscard]] bool is_allowed_primitive(std::string_view name) noexcept;
/// Functions of the language: "getattr", "range", ...
[[nodiscard]] bool is_allowed_builtin(std::string_view name) noexcept;
/// Words of the language: "def", "return", ...
[[nodiscard]] bool is_allowed_keyword(std::string_view name) noexcept;
/// Names that would act as soon as somebody could call them.
[[nodiscard]] bool is_forbidden_name(std::string_view name) noexcept;

}  // namespace bytecnn::exporter
