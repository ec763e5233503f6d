#include "bench_report.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/isa.hpp"
#include "bytecnn/version.hpp"

#include "number_text.hpp"
#include "table.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t widest_bar = 40;
constexpr std::size_t table_columns = 42;  // of the latencies, without their bars

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

std::string microseconds(double nanoseconds) {
  return three_digits(nanoseconds / 1000);
}

/// Bars on one logarithmic scale that begins at a power of ten.
class LogScale {
 public:
  LogScale(double least, double largest, std::size_t columns)
      : begin_(std::floor(std::log10(least))), end_(std::log10(largest)), columns_(columns) {}

  /// Columns up to `value`, at least one.
  [[nodiscard]] std::size_t columns_to(double value) const {
    const double share = (std::log10(value) - begin_) / std::max(end_ - begin_, 0.1);
    return static_cast<std::size_t>(
        std::clamp(std::lround(share * static_cast<double>(columns_)), 1L, static_cast<long>(columns_)));
  }

  /// "0.1       1         10": each power of ten above its column.
  [[nodiscard]] std::string ruler() const {
    std::string text;
    for (double power = begin_; power <= end_; ++power) {
      const double nanoseconds = std::pow(10, power);
      const std::size_t place = power == begin_ ? 0 : columns_to(nanoseconds) - 1;
      const std::string mark = "╷" + axis_number(nanoseconds / 1000);
      if (place < display_width(text) + (text.empty() ? 0 : 1)) continue;
      text += std::string(place - display_width(text), ' ') + mark;
    }
    return text;
  }

 private:
  double begin_;
  double end_;
  std::size_t columns_;
};

std::string latency_table(const BenchReport& report, const Painter& painter, std::size_t columns) {
  const auto& latencies = report.results.latencies;
  double least = latencies[0].p50;
  double largest = latencies[0].p99;
  for (const Latency& latency : latencies) {
    least = std::min(least, latency.p50);
    largest = std::max(largest, latency.p99);
  }
  const std::size_t bars = columns > table_columns + 10 ? std::min(widest_bar, columns - table_columns) : 0;
  const LogScale scale(std::max(least, 1.0), std::max(largest, 10.0), bars);

  Table table({{"bytes", Align::right},
               {"engine"},
               {"min", Align::right},
               {"p50", Align::right},
               {"p99", Align::right},
               {bars == 0 ? "" : scale.ruler()}});
  std::size_t shown_class = SIZE_MAX;
  for (const Latency& latency : latencies) {
    std::string bar;
    if (bars != 0) {
      const std::size_t median = scale.columns_to(std::max(latency.p50, 1.0));
      bar = repeated("━", median) + repeated("╌", scale.columns_to(std::max(latency.p99, 1.0)) - median);
    }
    const bool first = latency.length_class != shown_class;
    table.add_row({first ? length_text(report.samples.classes()[latency.length_class]) : std::string(),
                   std::string(to_string(latency.isa)),
                   microseconds(latency.min),
                   {microseconds(latency.p50), Style::heading},
                   microseconds(latency.p99),
                   {bar, first ? Style::good : Style::faint}});
    shown_class = latency.length_class;
  }
  const std::string arithmetic =
      report.arithmetic == Arithmetic::float32 ? "" : ", " + std::string(to_string(report.arithmetic));
  return painter.paint(Style::heading, "Latency") + " of one text on one thread" + arithmetic + ", in microseconds\n" +
         table.render(painter);
}

std::string throughput_table(const BenchReport& report, const Painter& painter) {
  Table table({{"threads", Align::right}, {"texts/s", Align::right}, {"MB/s", Align::right}, {""}});
  const auto& all = report.results.throughputs;
  double most = 0;
  for (const Throughput& one : all) most = std::max(most, one.texts_a_second);
  for (const Throughput& one : all) {
    const auto length = static_cast<std::size_t>(std::lround(30 * one.texts_a_second / most));
    std::string note = repeated("━", std::max<std::size_t>(1, length));
    if (&one != &all[0]) note += "  " + fixed(one.texts_a_second / all[0].texts_a_second, 2) + " ×";
    table.add_row({std::to_string(one.threads),
                   {three_digits(one.texts_a_second), Style::heading},
                   three_digits(one.bytes_a_second / 1e6),
                   {note, Style::good}});
  }
  return painter.paint(Style::heading, "Throughput") + " of batches, " +
         std::string(to_string(report.results.latencies[0].isa)) + ", " + printable(report.samples.name(), 60) + ": " +
         with_separators(report.samples.all().size()) + " texts, " +
         three_digits(static_cast<double>(report.samples.bytes()) / static_cast<double>(report.samples.all().size())) +
         " bytes on average\n" + table.render(painter);
}

}  // namespace

std::string machine_line(const Machine& machine) {
  return machine.processor + ", " + std::to_string(machine.processors) +
         (machine.processors == 1 ? " processor, " : " processors, ") +
         std::to_string((machine.memory_bytes + (1U << 29U)) >> 30U) + " GiB, " + machine.system + "; bytecnn " +
         BYTECNN_VERSION + ", " + machine.compiler;
}

std::string length_text(const LengthClass& length) {
  if (length.shortest == length.longest) return std::to_string(length.shortest);
  return std::to_string(length.shortest) + "–" + std::to_string(length.longest);
}

std::string bench_text(const BenchReport& report, const Painter& painter, std::size_t columns) {
  const auto& info = report.model.info;
  std::string text = painter.paint(Style::heading, printable(report.model_name, 80)) + "  " +
                     with_separators(info.parameters) + " parameters, " +
                     std::to_string(report.model.architecture.outputs) +
                     (report.model.architecture.outputs == 1 ? " output" : " outputs") + ", loaded and planned in " +
                     three_digits(report.load_milliseconds) + " ms\n";
  text += painter.paint(Style::faint, printable(machine_line(report.machine), SIZE_MAX)) + "\n\n";
  return text + latency_table(report, painter, columns) + "\n" + throughput_table(report, painter);
}

std::string bench_json(const BenchReport& report) {
  nlohmann::ordered_json json;
  json["model"] = {{"name", report.model_name}, {"file", report.model_file}};
  json["machine"] = {{"processor", report.machine.processor},
                     {"processors", report.machine.processors},
                     {"memory_bytes", report.machine.memory_bytes},
                     {"system", report.machine.system},
                     {"load", report.machine.load},
                     {"compiler", report.machine.compiler},
                     {"bytecnn", BYTECNN_VERSION}};
  json["texts"] = {
      {"source", report.samples.name()}, {"count", report.samples.all().size()}, {"bytes", report.samples.bytes()}};
  json["arithmetic"] = to_string(report.arithmetic);
  json["load_ms"] = report.load_milliseconds;
  json["latency_us"] = nlohmann::ordered_json::array();
  for (const Latency& latency : report.results.latencies) {
    const LengthClass& length = report.samples.classes()[latency.length_class];
    json["latency_us"].push_back({{"isa", to_string(latency.isa)},
                                  {"shortest", length.shortest},
                                  {"longest", length.longest},
                                  {"min", latency.min / 1000},
                                  {"p50", latency.p50 / 1000},
                                  {"p99", latency.p99 / 1000},
                                  {"calls", latency.calls}});
  }
  json["throughput"] = nlohmann::ordered_json::array();
  for (const Throughput& one : report.results.throughputs) {
    json["throughput"].push_back({{"isa", to_string(report.results.latencies[0].isa)},
                                  {"threads", one.threads},
                                  {"texts_per_second", one.texts_a_second},
                                  {"bytes_per_second", one.bytes_a_second}});
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace bytecnn::cli
