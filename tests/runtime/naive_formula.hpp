#pragma once
/// The meaning of a model a second time, straight from its definition and written independently of `reference.cpp`:
/// every number is computed on demand by a formula over explicitly padded columns, in long double.

#include <vector>

#include "bytecnn/model.hpp"

#include "random_model.hpp"

namespace bytecnn::testing {

/// Logits of a valid model for an input that is long enough for it.
[[nodiscard]] std::vector<double> naive_logits(const Model& model, const Bytes& input);

}  // namespace bytecnn::testing
