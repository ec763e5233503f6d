#pragma once
/// The models on which the promise on logits is measured: every kind of layer, and every way a plan computes one.

#include <string>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::testing {

struct AccuracyModel {
  std::string name;
  Architecture architecture;
};

[[nodiscard]] std::vector<AccuracyModel> accuracy_models();

}  // namespace bytecnn::testing
