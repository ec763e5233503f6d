#pragma once
/// Interleaved measurement: in every round each contender and each of the machine's peaks has its turn, so that a
/// change of clock or a noisy neighbour falls on all of them; what is reported is the median over the rounds.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/isa.hpp"

#include "contender.hpp"

namespace bytecnn::bench {

/// Nanoseconds a text.
struct Timing {
  std::string contender;
  double median = 0;  ///< over the rounds, of a block's mean
  double minimum = 0;
  double p99 = 0;  ///< of single texts, each timed by itself, over all rounds
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
  double disagreement = 0;      ///< worst difference between contenders, in units of S
};

struct MeasurementOptions {
  std::size_t rounds = 9;
  double block_nanoseconds = 500'000;  ///< a block repeats texts until it takes about this long
};

/// Fills timings and peaks of one cell a set of texts. All sets have their turns in the same rounds, so that kinds of
/// text can be compared as well as contenders.
void measure(std::span<const std::unique_ptr<Contender>> contenders, std::span<const std::span<const Text>> sets,
             const MeasurementOptions& options, std::span<Cell> cells);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace bytecnn::bench
