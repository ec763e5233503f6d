#pragma once
/// NumPy arrays and scalars inside a pickle: their bytes stand in the pickle itself.
///
/// `numpy.core.multiarray._reconstruct` with its state, `numpy.core.numeric._frombuffer` (protocol 5),
/// `numpy.core.multiarray.scalar`; NumPy 2 spells `numpy._core`.

#include <cstddef>
#include <string>
#include <string_view>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/pickle_graph.hpp"
#include "checkpoint/tensor_rebuild.hpp"

namespace bytecnn::exporter {

[[nodiscard]] bool is_numpy_array(const PickleGraph& graph, NodeId id);
[[nodiscard]] std::size_t numpy_rank(const PickleGraph& graph, NodeId id);

/// The array as a tensor; where its type is none of ours `unreadable` says why.
/// Throws `Error` where shape and data contradict each other.
[[nodiscard]] NamedTensor read_numpy_array(const PickleGraph& graph, NodeId id, std::string name,
                                           TensorRebuilder& budget, const CheckpointLimits& limits);

/// A NumPy scalar as text, "" where `id` is none.
[[nodiscard]] std::string numpy_scalar_text(const PickleGraph& graph, NodeId id);

}  // namespace bytecnn::exporter
