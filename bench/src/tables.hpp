#pragma once
/// Results as Markdown tables and as JSON.

#include <string>
#include <vector>

#include "bench_models.hpp"
#include "measurement.hpp"

namespace bytecnn::bench {

struct Setting {
  std::string processor, compiler;
  std::string libtorch;  ///< "1.13.1 on OpenBLAS ...", or that it is not built in
  std::size_t rounds = 0;
};

struct Results {
  Setting setting;
  std::vector<BenchModel> models;
  std::vector<Cell> cells;
};

[[nodiscard]] std::string to_markdown(const Results& results);
[[nodiscard]] std::string to_json(const Results& results);

}  // namespace bytecnn::bench
