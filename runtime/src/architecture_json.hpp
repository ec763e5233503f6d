#pragma once
/// The `architecture` object of model files and of architecture statements.

#include <nlohmann/json.hpp>

#include "bytecnn/architecture_statement.hpp"

#include "json_document.hpp"

namespace bytecnn {

[[nodiscard]] ArchitectureStatement read_architecture_statement(const JsonValue& object);
[[nodiscard]] nlohmann::ordered_json architecture_to_json(const Architecture& architecture);

}  // namespace bytecnn
