#pragma once
/// The error histograms of all stages as one picture.

#include <string>
#include <vector>

namespace bytecnn::exporter {

struct HistogramRow {
  std::string name;
  std::vector<std::size_t> counts;  ///< `histogram_bins` of them, see stage_comparison.hpp
  double tolerance = 0;             ///< divided by S, as the counts are
  bool passed = false;
};

/// An inline <svg>: one row a stage over a common logarithmic axis of |difference| / S, a bar a decade as high as its
/// share of the row's fullest decade, a dashed line at the tolerance. Colours come from the page's custom properties.
[[nodiscard]] std::string histogram_svg(const std::vector<HistogramRow>& rows);

}  // namespace bytecnn::exporter
