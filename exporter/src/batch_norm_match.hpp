#pragma once
/// Which batch norm belongs to which convolution, and on which side of the activation it stands.

#include <string>
#include <vector>

#include "layer_chain.hpp"

namespace bytecnn::exporter {

/// Sets `batch_norm`, `position_by_numbering` and `numbering_doubt` of `convs` (in their final order): by the place
/// inside one nn.Sequential, else by equal indices, else by position, else by the only fitting length. Throws `Error`
/// naming the batch norm that belongs to no convolution (`unsupported`) or to more than one (`ambiguous`).
void match_batch_norms(const LayerInventory& inventory, const std::vector<const FoundLayer*>& dense,
                       std::vector<ChainConv>& convs, std::vector<std::string>& warnings);

}  // namespace bytecnn::exporter
