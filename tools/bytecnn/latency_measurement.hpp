#pragma once
/// How long one classification takes, and how many there are in a second.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "sample_texts.hpp"

namespace bytecnn::cli {

/// Nanoseconds of single calls on one thread, the clock's own cost taken off.
struct Latency {
  Isa isa = Isa::reference;
  std::size_t length_class = 0;  ///< index into `SampleTexts::classes()`
  double min = 0;
  double p50 = 0;
  double p99 = 0;
  std::size_t calls = 0;
};

struct Throughput {
  unsigned threads = 1;
  double texts_a_second = 0;
  double bytes_a_second = 0;
};

struct BenchResults {
  std::vector<Latency> latencies;       ///< ordered by length, then as `isas`
  std::vector<Throughput> throughputs;  ///< of the instruction set that is used unless told otherwise
};

/// Runs each instruction set on each length for `seconds`, in turns, so that what disturbs the machine disturbs all
/// alike; then batches of all texts on 1 thread and on `threads`. `done` is told what share of the work is done.
[[nodiscard]] BenchResults measure(const Model& model, std::span<const Isa> isas, Arithmetic arithmetic,
                                   const SampleTexts& samples, double seconds, unsigned threads,
                                   const std::function<void(double)>& done);

}  // namespace bytecnn::cli
