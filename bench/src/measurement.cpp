#include "measurement.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include <sys/resource.h>

#include "isa/isa_kernels.hpp"

namespace bytecnn::bench {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// What timing nothing at all costs; taken off every single text's time.
double clock_overhead() {
  std::vector<double> samples(1001);
  for (double& sample : samples) sample = nanoseconds_since(Clock::now());
  return median(samples);
}

double percentile(std::vector<double> values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

/// How often the scheduler has taken the processor away from this thread.
long interruptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

/// Calls `measure` until it was not interrupted, a few times at most: a busy machine must not stop the measurement.
template <class Measure>
auto undisturbed(Measure measure) {
  constexpr int attempts = 5;
  for (int attempt = 1;; ++attempt) {
    const long before = interruptions();
    auto result = measure();
    if (interruptions() == before || attempt == attempts) return result;
  }
}

/// One contender's turns.
class Turns {
 public:
  Turns(Contender& contender, const TextSet& set) : contender_(contender), set_(set) {}

  /// Finds how many texts make a block.
  void prepare(double block_nanoseconds) {
    contender_.expect_text_like(set_.kind, set_.others);
    run(8);  // TorchScript optimises during its first calls
    double nanoseconds = 0;
    for (block_ = 1; block_ < (1U << 20U); block_ *= 2) {
      nanoseconds = undisturbed([this] { return block(block_); }) * static_cast<double>(block_);
      if (nanoseconds >= block_nanoseconds) break;
    }
  }

  void take(double overhead) {
    contender_.expect_text_like(set_.kind, set_.others);
    run(std::max<std::size_t>(1, block_ / 4));
    blocks_.push_back(undisturbed([this] { return block(block_); }));
    const std::vector<double> singles = undisturbed([this, overhead] { return one_by_one(overhead); });
    singles_.insert(singles_.end(), singles.begin(), singles.end());
  }

  [[nodiscard]] Timing timing() const {
    return {contender_.name(),
            median(blocks_),
            *std::min_element(blocks_.begin(), blocks_.end()),
            percentile(singles_, 0.99),
            {}};
  }

 private:
  /// Classifies `count` texts, going on where the last run ended.
  void run(std::size_t count) {
    while (count > 0) {
      const std::size_t taken = std::min(count, set_.texts.size() - next_);
      sink_ = sink_ + contender_.classify_each(set_.texts.subspan(next_, taken));
      next_ = (next_ + taken) % set_.texts.size();
      count -= taken;
    }
  }

  /// Nanoseconds a text over `count` texts.
  double block(std::size_t count) {
    const auto start = Clock::now();
    run(count);
    return nanoseconds_since(start) / static_cast<double>(count);
  }

  /// Nanoseconds of single texts: their spread, which a block's mean hides.
  std::vector<double> one_by_one(double overhead) {
    std::vector<double> nanoseconds(std::min(block_, set_.texts.size()));
    for (double& sample : nanoseconds) {
      const auto start = Clock::now();
      run(1);
      sample = std::max(0.0, nanoseconds_since(start) - overhead);
    }
    return nanoseconds;
  }

  Contender& contender_;
  const TextSet& set_;
  std::size_t block_ = 1;
  std::size_t next_ = 0;
  std::vector<double> blocks_, singles_;
  volatile double sink_ = 0;
};

/// `steps` additions, each of which waits for the one before: one a cycle on every processor of the last decades.
void dependent_additions(std::size_t steps) {
  std::size_t sum = steps;
  constexpr std::size_t unrolled = 16;
  for (std::size_t i = 0; i < steps; i += unrolled) {
#pragma GCC unroll 16
    for (std::size_t j = 0; j < unrolled; ++j) {
#if defined(__x86_64__)
      asm volatile("add %1, %0" : "+r"(sum) : "r"(steps) : "cc");
#else
      asm volatile("add %0, %0, %1" : "+r"(sum) : "r"(steps));
#endif
    }
  }
}

/// The clock, which processors do not tell programs and which changes with what they do.
class ClockTurns {
 public:
  void take() {
    constexpr std::size_t steps = 32'000;  // some 8 microseconds
    rates_.push_back(undisturbed([] {
      const auto start = Clock::now();
      dependent_additions(steps);
      return static_cast<double>(steps) / nanoseconds_since(start);
    }));
  }

  [[nodiscard]] double gigahertz() const { return median(rates_); }

 private:
  std::vector<double> rates_;
};

/// The peak loops' turns on one instruction set.
class PeakTurns {
 public:
  explicit PeakTurns(const IsaKernels& kernels) : kernels_(kernels) {}

  void take() {
    const std::array loops = {kernels_.fma, kernels_.add, kernels_.load, kernels_.mixed};
    for (std::size_t i = 0; i < loops.size(); ++i) {
      constexpr std::size_t operations = 48'000;  // some 6 microseconds
      const std::size_t rounds = operations / loops[i].operations;
      rates_[i].push_back(undisturbed([&] {
        const auto start = Clock::now();
        loops[i].run(rounds, memory_.data());
        return static_cast<double>(rounds * loops[i].operations) / nanoseconds_since(start);
      }));
    }
  }

  [[nodiscard]] Peaks peaks() const {
    return {kernels_.isa, kernels_.lanes, median(rates_[0]), median(rates_[1]), median(rates_[2]), median(rates_[3])};
  }

 private:
  static constexpr std::size_t floats = 1024;  // 64 vectors of 16
  alignas(64) std::array<float, floats> memory_{};
  const IsaKernels& kernels_;
  std::array<std::vector<double>, 4> rates_;
};

}  // namespace

double median(std::vector<double> values) {
  return percentile(std::move(values), 0.5);
}

void measure(std::span<const std::unique_ptr<Contender>> contenders, std::span<const TextSet> sets,
             const MeasurementOptions& options, std::span<Cell> cells) {
  std::vector<std::vector<std::unique_ptr<Turns>>> turns(sets.size());
  for (std::size_t set = 0; set < sets.size(); ++set) {
    for (const auto& contender : contenders) {
      turns[set].push_back(std::make_unique<Turns>(*contender, sets[set]));
      turns[set].back()->prepare(options.block_nanoseconds);
    }
  }
  std::vector<std::unique_ptr<PeakTurns>> peaks;
  for (const Isa isa : supported_isas()) {
    if (const IsaKernels* kernels = find_isa_kernels(isa)) peaks.push_back(std::make_unique<PeakTurns>(*kernels));
  }
  ClockTurns clock;
  const double overhead = clock_overhead();
  for (std::size_t round = 0; round < options.rounds; ++round) {
    for (auto& of_set : turns) {
      clock.take();
      // The peaks between the contenders, not all at one end of the round.
      for (std::size_t i = 0; i < std::max(of_set.size(), peaks.size()); ++i) {
        if (i < of_set.size()) of_set[i]->take(overhead);
        if (i < peaks.size()) peaks[i]->take();
      }
    }
  }
  for (std::size_t set = 0; set < sets.size(); ++set) {
    for (const auto& turn : turns[set]) cells[set].timings.push_back(turn->timing());
    for (const auto& peak : peaks) cells[set].peaks.push_back(peak->peaks());
    cells[set].gigahertz = clock.gigahertz();
  }
}

}  // namespace bytecnn::bench
