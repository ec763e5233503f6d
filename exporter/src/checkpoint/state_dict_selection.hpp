#pragma once
/// Finding the weights in a checkpoint: the state dict (or pickled module) at the top, or under some key.

#include <string_view>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/tensor_rebuild.hpp"

namespace bytecnn::exporter {

/// Fills form, key, prefix, tensors, modules, hints, candidates and ignored of `checkpoint`.
/// `key` names a candidate ("ema", "state.model"), something above one, or a prefix of names inside one ("student").
/// Throws `Error` (ambiguous) that lists the candidates where there is more than one choice.
void select_state_dict(const PickleGraph& graph, NodeId root, TensorRebuilder& rebuilder, std::string_view key,
                       const CheckpointLimits& limits, Checkpoint& checkpoint);

}  // namespace bytecnn::exporter
