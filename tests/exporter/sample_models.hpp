#pragma once
/// Models over the whole architecture space, with names that try to break out of a source file.

#include <string>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::exporter::testing {

struct Sample {
  std::string stem;  ///< what the checkpoint would be called
  Model model;
};

[[nodiscard]] std::vector<Sample> sample_models();

/// Inputs that tell models apart: empty, one byte, all bytes, at and beyond max_len.
[[nodiscard]] std::vector<std::string> sample_inputs();

}  // namespace bytecnn::exporter::testing
