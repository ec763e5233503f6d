#include "google_benchmarks.hpp"

#include <algorithm>

#include <benchmark/benchmark.h>

namespace bytecnn::bench {

void register_benchmarks(const std::string& cell, std::span<const std::unique_ptr<Contender>> contenders,
                         std::span<const Text> texts) {
  for (const auto& contender : contenders) {
    std::string name = cell + "/" + contender->name();
    std::replace(name.begin(), name.end(), ' ', '_');
    // Google Benchmark keeps what it is given.
    benchmark::RegisterBenchmark(  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks)
        name.c_str(), [&contender = *contender, texts](benchmark::State& state) {
          std::size_t next = 0;
          std::int64_t bytes = 0;
          for ([[maybe_unused]] const auto _ : state) {
            benchmark::DoNotOptimize(contender.classify_each(texts.subspan(next, 1)));
            bytes += static_cast<std::int64_t>(texts[next].size());
            next = (next + 1) % texts.size();
          }
          state.SetBytesProcessed(bytes);
          state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
        });
  }
}

bool initialize_benchmarks(std::string program, std::vector<std::string> flags) {
  flags.insert(flags.begin(), std::move(program));
  // Static: Google Benchmark keeps the name's pointer.
  static std::vector<std::string> arguments;
  arguments = std::move(flags);
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  auto count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
  return !benchmark::ReportUnrecognizedArguments(count, pointers.data());
}

void run_benchmarks() {
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}

}  // namespace bytecnn::bench
