#pragma once
/// What `bytecnn bench` measured, for people, programs and documents.

#include <string>

#include "bytecnn/model.hpp"

#include "latency_measurement.hpp"
#include "machine.hpp"
#include "sample_texts.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {

struct BenchReport {
  std::string model_name;  ///< as the file says, or the file's name
  std::string model_file;
  const Model& model;
  Arithmetic arithmetic = Arithmetic::float32;
  const SampleTexts& samples;
  Machine machine;
  double load_milliseconds = 0;  ///< reading the file and planning the model
  BenchResults results;
};

/// Tables with bars, `columns` wide at most.
[[nodiscard]] std::string bench_text(const BenchReport& report, const Painter& painter, std::size_t columns);
/// An object, times in microseconds.
[[nodiscard]] std::string bench_json(const BenchReport& report);
/// A self-contained SVG picture: latency over length, both logarithmic; a line an instruction set, and from the fastest
/// call to the 99th percentile a band.
[[nodiscard]] std::string bench_svg(const BenchReport& report);

/// "AMD EPYC 9575F, 2 processors, 24 GiB, Linux 6.1.0 x86_64; bytecnn 0.1.0, GCC 12.2.0"
[[nodiscard]] std::string machine_line(const Machine& machine);
/// "40", or "33 to 64" of lines that are not all alike.
[[nodiscard]] std::string length_text(const LengthClass& length);

}  // namespace bytecnn::cli
