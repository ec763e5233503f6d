#include "verify/histogram_svg.hpp"

#include <algorithm>
#include <cmath>

#include "verify/html_text.hpp"
#include "verify/stage_comparison.hpp"

namespace bytecnn::exporter {
namespace {

constexpr double left = 130;  // room for the stages' names
constexpr double width = 860;
constexpr double row_height = 58;
constexpr double bar_height = 36;
constexpr double top = 8;

std::string place(double value) {
  return short_number(std::round(value * 10) / 10, 6);
}

std::string text_at(double x, double y, const char* anchor, const char* kind, const std::string& text) {
  return "<text class=\"" + std::string(kind) + "\" x=\"" + place(x) + "\" y=\"" + place(y) + "\" text-anchor=\"" +
         anchor + "\">" + html_text(text) + "</text>\n";
}

/// What is written under the left edge of a bin.
std::string edge_name(std::size_t bin) {
  if (bin == 0) return "0";
  return bin == histogram_bins - 1 ? "1" : "1e" + std::to_string(static_cast<int>(bin) - 17);
}

class Picture {
 public:
  explicit Picture(const std::vector<HistogramRow>& rows) : rows_(rows) {
    for (const HistogramRow& row : rows) {
      for (std::size_t bin = 0; bin < row.counts.size(); ++bin) {
        if (row.counts[bin] == 0) continue;
        first_ = std::min(first_, bin);
        last_ = std::max(last_, bin);
      }
      // The tolerance is part of the story, however far the errors stay below it.
      last_ = std::max(last_, histogram_bin(row.tolerance));
    }
    first_ = std::min(first_, last_);
    step_ = (width - left) / static_cast<double>(last_ - first_ + 1);
  }

  std::string draw() {
    const double height = top + row_height * static_cast<double>(rows_.size()) + 40;
    std::string svg =
        "<svg class=\"histogram\" role=\"img\" aria-label=\"Histogram of the differences of every stage\" viewBox=\"0 "
        "0 " +
        place(width + 24) + " " + place(height) + "\">\n";
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      svg += draw_row(rows_[i], top + row_height * static_cast<double>(i) + row_height - 10);
    }
    const double axis = top + row_height * static_cast<double>(rows_.size()) + 6;
    for (std::size_t bin = first_; bin <= last_ + 1; ++bin) {
      svg += text_at(left_edge(bin), axis, "middle", "tick", bin > histogram_bins - 1 ? "" : edge_name(bin));
    }
    svg += text_at((left + width) / 2, axis + 22, "middle", "axis", "|difference| / S, by decades");
    return svg + "</svg>\n";
  }

 private:
  [[nodiscard]] double left_edge(std::size_t bin) const { return left + step_ * static_cast<double>(bin - first_); }

  /// Inside its decade by its logarithm.
  [[nodiscard]] double tolerance_place(double tolerance) const {
    const std::size_t bin = histogram_bin(tolerance);
    const double share =
        bin == 0 || tolerance >= 1 ? 0 : std::log10(tolerance) - std::floor(std::log10(tolerance) + 1e-12);
    return left_edge(bin) + step_ * std::clamp(share, 0.0, 1.0);
  }

  [[nodiscard]] std::string draw_row(const HistogramRow& row, double base) const {
    const std::size_t most = row.counts.empty() ? 0 : *std::max_element(row.counts.begin(), row.counts.end());
    std::string svg = text_at(left - 12, base - 8, "end", "stage", row.name);
    svg += "<line class=\"base\" x1=\"" + place(left) + "\" x2=\"" + place(width) + "\" y1=\"" + place(base) +
           "\" y2=\"" + place(base) + "\"/>\n";
    for (std::size_t bin = first_; bin <= last_ && bin < row.counts.size(); ++bin) {
      if (row.counts[bin] == 0) continue;
      const double height =
          std::max(1.5, bar_height * static_cast<double>(row.counts[bin]) / static_cast<double>(most));
      svg += "<rect class=\"" + std::string(row.passed ? "bar" : "bar failed") + "\" x=\"" +
             place(left_edge(bin) + 1.5) + "\" y=\"" + place(base - height) + "\" width=\"" + place(step_ - 3) +
             "\" height=\"" + place(height) + "\"><title>" + std::to_string(row.counts[bin]) + "</title></rect>\n";
      svg += text_at(left_edge(bin) + step_ / 2, base - height - 3, "middle", "count", std::to_string(row.counts[bin]));
    }
    if (row.tolerance > 0) {
      const double x = tolerance_place(row.tolerance);
      svg += "<line class=\"tolerance\" x1=\"" + place(x) + "\" x2=\"" + place(x) + "\" y1=\"" +
             place(base - bar_height - 6) + "\" y2=\"" + place(base) + "\"><title>tolerance " +
             short_number(row.tolerance) + " S</title></line>\n";
    }
    return svg;
  }

  const std::vector<HistogramRow>& rows_;
  std::size_t first_ = histogram_bins - 1;
  std::size_t last_ = 0;
  double step_ = 1;
};

}  // namespace

std::string histogram_svg(const std::vector<HistogramRow>& rows) {
  return Picture(rows).draw();
}

}  // namespace bytecnn::exporter
