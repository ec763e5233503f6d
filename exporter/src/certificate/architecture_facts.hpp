#pragma once
/// An architecture as a list of statements, so that two can be compared one by one and a difference has a name.

#include <string>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn {

struct Fact {
  std::string key, value;
  friend bool operator==(const Fact&, const Fact&) = default;
};

/// Everything that decides what a model computes beside its weights: "max_len" "512", "conv1 stride" "1", ... Batch
/// norm before the activation is left out: in a model file it is part of the weights.
[[nodiscard]] std::vector<Fact> architecture_facts(const Architecture& architecture);

/// A key that both lists hold, with another value. What only one list holds follows from such a key: the numbers of
/// layers differ then.
struct FactDifference {
  std::string key, first, second;
};
[[nodiscard]] std::vector<FactDifference> differing_facts(const std::vector<Fact>& first,
                                                          const std::vector<Fact>& second);

}  // namespace bytecnn
