#pragma once
/// The program's command line.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace bytecnn::bench {

struct Options {
  bool table = false, full = false, quick = false;
  std::vector<std::string> models, model_files, kinds, contenders;
  std::vector<std::size_t> lengths;
  std::size_t rounds = 9;
  std::string json, markdown;
  std::vector<std::string> merge;          ///< results to put together; nothing is measured
  std::vector<std::string> for_benchmark;  ///< what is left for Google Benchmark
};

/// Every choice that the user left open is filled in. An exit status instead where the program is to end now: after
/// --help, or 2 after a usage error, which has been printed.
struct ParsedOptions {
  Options options;
  std::optional<int> exit_status;
};

[[nodiscard]] ParsedOptions parse_options(int argc, char** argv);

}  // namespace bytecnn::bench
