/// The picture of a measurement.

#include <algorithm>
#include <array>
#include <cmath>

#include "bytecnn/isa.hpp"

#include "bench_report.hpp"
#include "markup.hpp"
#include "number_text.hpp"

namespace bytecnn::cli {
namespace {

constexpr double width = 760;
constexpr double height = 460;
constexpr double left = 64;
constexpr double right = 96;  // room for the lines' names
constexpr double top = 76;
constexpr double bottom = 52;

// Told apart also by those who do not see all colours, and on paper.
constexpr std::array<const char*, 5> colors{"#0b5fa5", "#d1690e", "#2b8a3e", "#8e44ad", "#555555"};

struct Point {
  double x = 0;
  double y = 0;
};

std::string number(double value) {
  return fixed(value, 1);
}

std::string points(const std::vector<Point>& path) {
  std::string text;
  for (const Point& point : path) text += (text.empty() ? "" : " ") + number(point.x) + "," + number(point.y);
  return text;
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& attributes,
                    const std::string& text) {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"" + attributes + ">" +
         text + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\" x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" +
         number(y2) + "\"/>\n";
}

/// A logarithmic axis from a place on the paper to another.
struct Axis {
  double least, largest, from, to;
  [[nodiscard]] double place(double value) const {
    return from + (to - from) * std::log(std::max(value, least) / least) / std::log(largest / least);
  }
};

double mean_length(const LengthClass& length) {
  double sum = 0;
  for (const auto text : length.texts) sum += static_cast<double>(text.size());
  return std::max(1.0, sum / static_cast<double>(length.texts.size()));
}

std::string horizontal_grid(const Axis& x, const Axis& y) {
  std::string svg;
  for (double power = std::pow(10, std::floor(std::log10(y.least))); power <= y.largest * 1.001; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = power * factor;
      if (value < y.least * 0.999 || value > y.largest * 1.001) continue;
      svg += line(x.from, y.place(value), x.to, y.place(value));
      svg += text_at(x.from - 8, y.place(value) + 4, "end", "", axis_number(value / 1000));
    }
  }
  return svg;
}

std::string vertical_grid(const Axis& x, const Axis& y, std::span<const LengthClass> classes) {
  std::string svg;
  double last = -100;
  for (const LengthClass& length : classes) {
    const double place = x.place(mean_length(length));
    svg += line(place, y.from, place, y.to);
    if (place - last < 44) continue;
    svg += text_at(place, y.from + 18, "middle", "", length_text(length));
    last = place;
  }
  return svg;
}

/// Places for the names at the lines' right ends, moved apart where they would overlap.
std::vector<double> spread(std::vector<double> wanted) {
  constexpr double apart = 16;
  std::vector<std::size_t> order(wanted.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) { return wanted[i]; });
  for (std::size_t i = order.size(); i-- > 1;) {
    wanted[order[i - 1]] = std::min(wanted[order[i - 1]], wanted[order[i]] - apart);
  }
  return wanted;
}

}  // namespace

std::string bench_svg(const BenchReport& report) {
  const auto classes = report.samples.classes();
  const auto& latencies = report.results.latencies;
  const std::size_t lines = latencies.size() / classes.size();
  double least = latencies[0].min;
  double largest = latencies[0].p99;
  for (const Latency& latency : latencies) {
    least = std::min(least, latency.min);
    largest = std::max(largest, latency.p99);
  }
  least = std::max(least, 1.0);
  largest = std::max(largest, 2 * least);
  const double shortest = mean_length(classes.front());
  const Axis x{shortest, std::max(mean_length(classes.back()), 2 * shortest), left, width - right};
  const Axis y{least / 1.15, largest * 1.15, height - bottom, top};

  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) +
                    "\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#333\">\n"
                    "<style>.grid{stroke:#ddd;stroke-width:1}.line{fill:none;stroke-width:2.2;stroke-linejoin:round}"
                    "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  svg += text_at(left, 26, "start", " font-size=\"17\" font-weight=\"600\" fill=\"#111\"",
                 markup_text(report.model_name) + ": microseconds a text, one thread");
  svg += text_at(left, 44, "start", " font-size=\"11\" fill=\"#666\"", markup_text(machine_line(report.machine)));
  svg += text_at(left, 60, "start", " font-size=\"11\" fill=\"#666\"",
                 "lines: median; bands: fastest call to 99th percentile; texts: " + markup_text(report.samples.name()));
  svg += horizontal_grid(x, y) + vertical_grid(x, y, classes);
  svg += text_at((x.from + x.to) / 2, height - 14, "middle", "", "bytes a text");

  std::vector<double> ends;
  for (std::size_t i = 0; i < lines; ++i) {
    std::vector<Point> median;
    std::vector<Point> band;
    std::vector<Point> lower;
    for (std::size_t c = 0; c < classes.size(); ++c) {
      const Latency& latency = latencies[c * lines + i];
      const double place = x.place(mean_length(classes[c]));
      median.push_back({place, y.place(latency.p50)});
      band.push_back({place, y.place(latency.p99)});
      lower.push_back({place, y.place(latency.min)});
    }
    band.insert(band.end(), lower.rbegin(), lower.rend());
    const std::string color = colors[i % colors.size()];
    svg += "<polygon points=\"" + points(band) + "\" fill=\"" + color + "\" fill-opacity=\"0.13\"/>\n";
    svg += "<polyline class=\"line\" stroke=\"" + color + "\" points=\"" + points(median) + "\"/>\n";
    for (const Point& point : median) {
      svg +=
          "<circle cx=\"" + number(point.x) + "\" cy=\"" + number(point.y) + "\" r=\"3.2\" fill=\"" + color + "\"/>\n";
    }
    ends.push_back(median.back().y);
  }
  ends = spread(ends);
  for (std::size_t i = 0; i < lines; ++i) {
    svg += text_at(x.to + 10, ends[i] + 4, "start",
                   std::string(" font-weight=\"600\" fill=\"") + colors[i % colors.size()] + "\"",
                   std::string(to_string(latencies[i].isa)));
  }
  return svg + "</svg>\n";
}

}  // namespace bytecnn::cli
