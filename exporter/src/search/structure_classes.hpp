#pragma once
/// Which of the structures that fit a recording are one and the same, and which inputs tell the others apart.

#include <vector>

#include "search/record_match.hpp"

namespace bytecnn::exporter {

/// Puts `fitting` into `result`: classes of equals among the best, others that merely lie within the tolerance, and
/// telling inputs.
void classify_structures(const Original& original, const RecordMatch& match, std::vector<Structure> fitting,
                         SearchResult& result);

}  // namespace bytecnn::exporter
