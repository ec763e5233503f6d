#pragma once
/// Why a wrong export is wrong: which known mistake explains the difference.

#include <string>

namespace bytecnn::exporter {

/// One mistake that was made again on purpose, and then gave what the export (or the recorded numbers) gave.
struct Cause {
  std::string stage;      ///< whose failure it explains: "fold" (with weights and engine), "reference"
  std::string trap;       ///< a short, stable key: "eps", "batch_norm_dropped", "pooling", "single_weight", ...
  std::string text;       ///< a sentence with the layer and the numbers
  double before = 0;      ///< largest |difference| of a logit over the inputs that were tried, without the mistake
  double after = 0;       ///< and with it
  bool explains = false;  ///< `after` is within the tolerance; otherwise at most a hundredth of `before`
};

}  // namespace bytecnn::exporter
