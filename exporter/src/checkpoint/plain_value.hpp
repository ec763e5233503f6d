#pragma once
/// Plain values of a pickle as text, the way Python prints them: hyper-parameters, attributes, hints.

#include <string>

#include "checkpoint/pickle_graph.hpp"

namespace bytecnn::exporter {

/// repr(float): shortest digits that read back, "1e-05", "2.0", "inf".
[[nodiscard]] std::string python_float(double value);

/// None, booleans, numbers, short strings (bare), tuples and lists of them (strings quoted), NumPy scalars, functions
/// and classes by name. Empty for everything else and for what is too long to be a hyper-parameter.
[[nodiscard]] std::string plain_value(const PickleGraph& graph, NodeId id);

}  // namespace bytecnn::exporter
