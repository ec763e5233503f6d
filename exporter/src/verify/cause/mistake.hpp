#pragma once
/// Known mistakes of exports, each as something that can be done to an original or to its export.

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "original.hpp"

namespace bytecnn::exporter {

struct Mistake {
  std::string trap;  ///< Cause::trap
  std::string text;  ///< Cause::text
  std::function<void(Original&)> make;
};

/// Mistakes with the weights of conv layer `layer`: its batch norm, its bias, the order of its numbers.
[[nodiscard]] std::vector<Mistake> conv_mistakes(const Original& original, std::size_t layer);

/// Mistakes with the structure around the weights: what a state dict cannot tell.
[[nodiscard]] std::vector<Mistake> structure_mistakes(const Original& original);

/// Where `model` states another structure than `original`: the mistakes that were stated.
[[nodiscard]] std::vector<Mistake> stated_mistakes(const Original& original, const Architecture& model);

}  // namespace bytecnn::exporter
