#pragma once
/// The same cells as benchmarks of Google Benchmark, for its filters and its output forms.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "contender.hpp"
#include "sample_texts.hpp"

namespace bytecnn::bench {

/// Registers "MODEL/KIND/LENGTH/CONTENDER" for every contender. What is passed must outlive the run.
void register_benchmarks(const std::string& cell, std::span<const std::unique_ptr<Contender>> contenders,
                         std::span<const Text> texts);

/// Takes the command line's --benchmark_* flags. False where something is left over; it has been reported.
[[nodiscard]] bool initialize_benchmarks(std::string program, std::vector<std::string> flags);
void run_benchmarks();

}  // namespace bytecnn::bench
