#pragma once
/// In which order layers of one kind are run.

#include <cstdint>
#include <vector>

#include "layer_inventory.hpp"

namespace bytecnn::exporter {

/// By the numbers in their names where all names have one stem; else by file order, with names that say "output" last.
[[nodiscard]] std::vector<const FoundLayer*> order_by_name(std::vector<const FoundLayer*> layers);

/// All orders (up to two) in which each layer takes exactly the channels that the one before it gives, the first one
/// one of `inputs`. A weight's shape is [outputs, inputs, ...]. Gives up (empty) beyond ten layers.
[[nodiscard]] std::vector<std::vector<const FoundLayer*>> orders_by_shape(const std::vector<const FoundLayer*>& layers,
                                                                          const std::vector<std::int64_t>& inputs);

}  // namespace bytecnn::exporter
