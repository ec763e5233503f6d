#pragma once
/// The networks that are measured: four made here with random weights (speed does not depend on their values), and any
/// model file.

#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/model.hpp"

namespace bytecnn::bench {

struct BenchModel {
  std::string name;
  Model model;
};

/// Weights at the scale of a trained network: features keep their size from layer to layer.
[[nodiscard]] Model with_random_weights(const Architecture& architecture);

/// "1L", "2L", "3L", "6L".
[[nodiscard]] std::vector<std::string_view> made_model_names();

/// 1L: embedding 12, conv 40 of 3, dense 128. 2L: embedding 14, convs 28 and 24 of 3, dense 48. 3L: a conv of 28
/// filters of 5 between them. 6L: embedding 80, six residual convs of 80 filters of 3 with gelu, dense 80. All with 512
/// positions, (avg + max) / 2, one sigmoid output. Throws `Error` (usage) on another name.
[[nodiscard]] BenchModel make_model(std::string_view name);

/// A model file, named after its file name without the extension. Throws `Error`.
[[nodiscard]] BenchModel load_bench_model(const std::string& path);

/// One line: "embedding 12, conv 40 of 3 relu, avg_max over 512, dense 128, 1 sigmoid output".
[[nodiscard]] std::string describe(const Architecture& architecture);

}  // namespace bytecnn::bench
