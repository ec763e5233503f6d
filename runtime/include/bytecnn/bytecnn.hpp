#pragma once
/// Everything of the library. `classifier.hpp` alone is enough to classify.

#include "bytecnn/architecture_statement.hpp"  // IWYU pragma: export
#include "bytecnn/arithmetic.hpp"              // IWYU pragma: export
#include "bytecnn/batch_norm.hpp"              // IWYU pragma: export
#include "bytecnn/classifier.hpp"              // IWYU pragma: export
#include "bytecnn/error.hpp"                   // IWYU pragma: export
#include "bytecnn/explain.hpp"                 // IWYU pragma: export
#include "bytecnn/frequent_windows.hpp"        // IWYU pragma: export
#include "bytecnn/isa.hpp"                     // IWYU pragma: export
#include "bytecnn/model.hpp"                   // IWYU pragma: export
#include "bytecnn/model_json.hpp"              // IWYU pragma: export
#include "bytecnn/reference.hpp"               // IWYU pragma: export
#include "bytecnn/stream.hpp"                  // IWYU pragma: export
#include "bytecnn/version.hpp"                 // IWYU pragma: export
