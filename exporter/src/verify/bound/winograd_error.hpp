#pragma once
/// Rounding of Winograd's algorithm, over all inputs.

#include <vector>

#include "verify/bound/arithmetic.hpp"
#include "verify/bound/column_bounds.hpp"
#include "verify/bound/filter_taps.hpp"
#include "verify/bound/own_errors.hpp"

namespace bytecnn::exporter {

/// How far one filter's sum, computed from columns that are themselves off by at most `error`, is from the exact
/// filter's sum of the computed columns. `shared` are the input transform's roundings.
[[nodiscard]] OwnError winograd_error(const WinogradWay& way, const FilterTaps& taps, float bias,
                                      const ColumnBounds& input, const std::vector<double>& error, double u);

}  // namespace bytecnn::exporter
