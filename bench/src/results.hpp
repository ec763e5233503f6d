#pragma once
/// What was measured, as plain data: written as JSON, read back, and merged, so that a long measurement can be taken in
/// pieces.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/isa.hpp"

namespace bytecnn::bench {

/// Nanoseconds a text.
struct Timing {
  std::string contender;
  double median = 0;  ///< over the rounds, of a block's mean
  double minimum = 0;
  double p99 = 0;               ///< of single calls, each timed by itself, over all rounds
  std::optional<double> bound;  ///< the least that the machine's rates allow, where the contender's method is known
};

/// What the machine does at most, in vector operations a nanosecond.
struct Peaks {
  Isa isa = Isa::reference;
  std::size_t lanes = 0;
  double fma = 0, add = 0, load = 0, mixed = 0;
};

/// One model, one kind of text, one length.
struct Cell {
  std::string model, kind;
  std::size_t length = 0;
  std::vector<Timing> timings;  ///< in the order of the contenders
  std::vector<Peaks> peaks;     ///< measured in turn with them
  double gigahertz = 0;         ///< the processor's clock, measured in turn with them
  double disagreement = 0;      ///< worst difference between contenders, in units of S
};

struct Setting {
  std::string processor, compiler;
  std::string libtorch;  ///< "1.13.1 on OpenBLAS ...", or that it is not built in
  std::size_t rounds = 0;
  friend bool operator==(const Setting&, const Setting&) = default;
};

struct MeasuredModel {
  std::string name, description;
};

struct Results {
  Setting setting;
  std::vector<MeasuredModel> models;
  std::vector<Cell> cells;
};

[[nodiscard]] std::string to_json(const Results& results);
/// Reads what `to_json` wrote. Throws `Error` that names the file.
[[nodiscard]] Results read_results(const std::string& path);
/// Puts parts together: models in the order in which they come first, a cell measured twice as it was last. Throws
/// `Error` (invalid) where the parts come from different settings, whose times must not stand in one table.
[[nodiscard]] Results merge(std::span<const Results> parts);

}  // namespace bytecnn::bench
