#pragma once
/// How the export is computed, as far as an error analysis must know it: of the order of sums only what every
/// instruction set and blocking shares.

#include <optional>
#include <string>
#include <vector>

#include "verify/bound/outward.hpp"
#include "winograd.hpp"

namespace bytecnn::exporter {

struct WinogradWay {
  WinogradTransform transform;
  std::size_t chain = 0;  ///< products that are added in the order of the channels, before their sum joins the total
};

/// One way of computing the export; instruction sets whose plans take the same way share it.
struct Arithmetic {
  std::vector<std::string> names;
  double u = double_roundoff;
  bool tables = false;         ///< the first convolution's taps are tables, rounded to float once
  double pooled_together = 1;  ///< columns whose sum is rounded like any other, before it joins a compensated total
  /// For each conv layer: how it runs by Winograd's algorithm, where it does.
  std::vector<std::optional<WinogradWay>> winograd;
};

}  // namespace bytecnn::exporter
