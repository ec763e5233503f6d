#pragma once
/// Which globals of a pickle are PyTorch's own.

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"

namespace bytecnn::exporter {

/// Lists every global in `checkpoint.opaque` that is neither PyTorch's nor part of reading one of its files: what the
/// file would have executed in Python.
void list_opaque(const PickleGraph& graph, Checkpoint& checkpoint);

}  // namespace bytecnn::exporter
