#pragma once
/// The structures that differ from one in one or two properties.

#include <vector>

#include "search/search_space.hpp"

namespace bytecnn::exporter {

struct PricedArchitecture {
  Architecture architecture;
  unsigned price = 0;  ///< of the differences
};

/// All of `space` that differ from `centre` in one property, then all that differ in two.
[[nodiscard]] std::vector<PricedArchitecture> neighbours(const SearchSpace& space, const Architecture& centre);

}  // namespace bytecnn::exporter
