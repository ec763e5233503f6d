#include "latency_measurement.hpp"

#include <algorithm>
#include <chrono>

namespace bytecnn::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t rounds = 5;
/// Enough for a 99th percentile; more would only take memory.
constexpr std::size_t most_samples = 200'000;

double nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double percentile(std::vector<float>& values, double share) {
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), place, values.end());
  return static_cast<double>(*place);
}

/// What timing nothing at all costs.
double clock_cost() {
  std::vector<float> samples(1001);
  for (float& sample : samples) sample = static_cast<float>(nanoseconds_since(Clock::now()));
  return percentile(samples, 0.5);
}

/// One instruction set on the texts of one length.
class Series {
 public:
  Series(const Classifier& classifier, const LengthClass& length) : classifier_(classifier), texts_(length.texts) {}

  void run_for(double nanoseconds, double overhead) {
    for (std::size_t i = 0; i < texts_.size() / 4; ++i) call();  // caches and clocks get used to it
    const auto begin = Clock::now();
    do {
      const auto start = Clock::now();
      call();
      const double taken = std::max(0.0, nanoseconds_since(start) - overhead);
      if (samples_.size() < most_samples) samples_.push_back(static_cast<float>(taken));
    } while (nanoseconds_since(begin) < nanoseconds);
  }

  [[nodiscard]] Latency latency(std::size_t length_class) {
    return {classifier_.isa(),
            length_class,
            static_cast<double>(*std::ranges::min_element(samples_)),
            percentile(samples_, 0.5),
            percentile(samples_, 0.99),
            samples_.size()};
  }

 private:
  void call() {
    sink_ = sink_ + classifier_.classify(texts_[next_]).score;
    next_ = next_ + 1 == texts_.size() ? 0 : next_ + 1;
  }

  const Classifier& classifier_;
  std::span<const std::span<const std::byte>> texts_;
  std::size_t next_ = 0;
  std::vector<float> samples_;
  volatile float sink_ = 0;
};

/// The median over the rounds of batches that fill their time.
Throughput measure_throughput(const Classifier& classifier, const SampleTexts& samples, double seconds,
                              unsigned threads) {
  std::vector<Result> results(samples.all().size());
  const auto once = [&] { classifier.classify_batch(samples.all(), results, {}, {}, threads); };
  once();
  std::vector<float> times;
  const auto begin = Clock::now();
  // Of a large corpus one round takes longer than its share; two are the least that tells anything.
  while (times.size() < 2 || (nanoseconds_since(begin) < seconds * 1e9 && times.size() < 1000)) {
    const auto start = Clock::now();
    once();
    times.push_back(static_cast<float>(nanoseconds_since(start)));
  }
  const double taken = percentile(times, 0.5) / 1e9;
  return {threads, static_cast<double>(samples.all().size()) / taken, static_cast<double>(samples.bytes()) / taken};
}

}  // namespace

BenchResults measure(const Model& model, std::span<const Isa> isas, Arithmetic arithmetic, const SampleTexts& samples,
                     double seconds, unsigned threads, const std::function<void(double)>& done) {
  std::vector<Classifier> classifiers;
  for (const Isa isa : isas) classifiers.emplace_back(model, ClassifierOptions{isa, arithmetic});
  std::vector<Series> series;
  for (const LengthClass& length : samples.classes()) {
    for (const Classifier& classifier : classifiers) series.emplace_back(classifier, length);
  }
  const double overhead = clock_cost();
  const double steps = static_cast<double>(rounds * series.size()) + 2;
  double taken = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (Series& one : series) {
      one.run_for(seconds * 1e9 / rounds, overhead);
      done(++taken / steps);
    }
  }
  BenchResults results;
  for (std::size_t i = 0; i < series.size(); ++i) results.latencies.push_back(series[i].latency(i / isas.size()));
  results.throughputs.push_back(measure_throughput(classifiers.front(), samples, 5 * seconds, 1));
  done(++taken / steps);
  if (threads > 1)
    results.throughputs.push_back(measure_throughput(classifiers.front(), samples, 5 * seconds, threads));
  return results;
}

}  // namespace bytecnn::cli
