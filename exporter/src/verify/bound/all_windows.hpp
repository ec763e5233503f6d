#pragma once
/// The first layer's windows, all of them, one by one.
///
/// A column of the first layer is a sum of one number a tap, and each depends on one token. With up to three taps there
/// are at most 258^3 = 17.2 million different windows, those at the borders included: few enough to compare the export
/// with the original in every one.

#include <cstdint>
#include <vector>

#include "bytecnn/model.hpp"

#include "verify/bound/conv_error.hpp"

namespace bytecnn::exporter {

/// The largest |difference| from the original of each filter over all windows: after the activation where that is relu,
/// else before it.
struct WindowErrors {
  std::vector<double> fold;    ///< the exported numbers in double
  std::vector<double> engine;  ///< the engine's tables, the taps summed in float in whichever order is worst
  std::uint64_t windows = 0;
};

/// Whether the first layer's windows can be run one by one.
[[nodiscard]] bool suits_all_windows(const Architecture& architecture) noexcept;

/// Runs them on all cores. `exact` are the original's parts over `tokens`.
[[nodiscard]] WindowErrors run_all_windows(const SeparableColumns& exact, const Model& model,
                                           const std::vector<std::size_t>& tokens);

}  // namespace bytecnn::exporter
