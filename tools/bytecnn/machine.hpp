#pragma once
/// What machine this is, for those who read a measurement elsewhere.

#include <cstdint>
#include <string>

namespace bytecnn::cli {

struct Machine {
  std::string processor;    ///< "AMD EPYC 9575F 64-Core Processor"
  unsigned processors = 1;  ///< that this process may use
  std::uint64_t memory_bytes = 0;
  std::string system;    ///< "Linux 6.1.0-18-amd64 x86_64"
  std::string compiler;  ///< that built this program
  double load = 0;       ///< processes that wanted to run during the last minute, on average
};

[[nodiscard]] Machine this_machine();

}  // namespace bytecnn::cli
