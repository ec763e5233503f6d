#pragma once
/// A pickle machine that builds a graph and runs nothing.
///
/// It understands the opcodes that protocols 2 to 5 write. A handful of globals (OrderedDict, tensor rebuilding, sets,
/// ...) have a meaning here, by exact name; every other global is only named. No recursion, no allocation that the
/// file could inflate: instructions, nodes and working memory are limited.

#include <cstddef>
#include <cstdint>

#include "checkpoint/byte_reader.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"

namespace bytecnn::exporter {

/// Runs one pickle that starts at `position` of `bytes`; moves `position` behind it and returns the pickled value.
/// Strings in `graph` are views into `bytes`, which must outlive it.
/// Throws `Error` at "byte N".
[[nodiscard]] NodeId run_pickle(ByteSpan bytes, std::size_t& position, PickleGraph& graph,
                                const CheckpointLimits& limits);

/// What calling the global `callable` with the tuple `arguments` describes (pickle_reduce.cpp).
[[nodiscard]] NodeId reduce(PickleGraph& graph, NodeId callable, NodeId arguments, const CheckpointLimits& limits);

/// What a persistent id stands for: a storage, or (oldest files) a class with its source (pickle_reduce.cpp).
[[nodiscard]] NodeId persistent_object(PickleGraph& graph, NodeId id);

}  // namespace bytecnn::exporter
