#pragma once
/// Interleaved measurement: in every round each contender and each of the machine's peaks has its turn, so that a
/// change of clock or a noisy neighbour falls on all of them; what is reported is the median over the rounds.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contender.hpp"
#include "results.hpp"

namespace bytecnn::bench {

struct MeasurementOptions {
  std::size_t rounds = 9;
  double block_nanoseconds = 500'000;  ///< a block repeats texts until it takes about this long
};

/// Texts to be timed, and others of their kind.
struct TextSet {
  std::string kind;
  std::span<const Text> texts, others;
};

/// Fills timings (without their bounds), peaks and clock of one cell a set of texts. All sets have their turns in the
/// same rounds, so that kinds of text can be compared as well as contenders.
void measure(std::span<const std::unique_ptr<Contender>> contenders, std::span<const TextSet> sets,
             const MeasurementOptions& options, std::span<Cell> cells);

[[nodiscard]] double median(std::vector<double> values);

}  // namespace bytecnn::bench
