#pragma once
/// What a model computes, as hashes: the same for two files that differ in names, dates or layout alone.

#include <cstddef>
#include <string>
#include <vector>

#include "bytecnn/model.hpp"

#include "certificate/architecture_facts.hpp"

namespace bytecnn {

/// One array of weights. Hashes are SHA-256 over its numbers as little-endian IEEE floats, row-major, a negative zero
/// as zero. `rows` holds the first 8 digits of each row's hash along the first axis (a filter, a unit, a token), which
/// tell where an array was changed.
struct ArrayFingerprint {
  std::string name;  ///< as in the model file: "embedding", "conv1_weight", ...
  std::vector<std::size_t> shape;
  std::string sha256;
  std::vector<std::string> rows;
};

struct ModelFingerprint {
  std::vector<Fact> facts;  ///< the architecture, and what turns scores into labels: "labels", "threshold"
  std::vector<ArrayFingerprint> arrays;
};

/// `model` must be valid.
[[nodiscard]] ModelFingerprint fingerprint(const Model& model);

/// How `found` computes something else than `certified`, one sentence each: "pooling: avg_max when it was certified,
/// max now", "conv2_weight[3] holds other numbers (1 of 24 rows)". Empty: the same model.
[[nodiscard]] std::vector<std::string> fingerprint_differences(const ModelFingerprint& certified,
                                                               const ModelFingerprint& found);

}  // namespace bytecnn
