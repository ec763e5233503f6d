#pragma once
/// One filter's weights as a convolution meets them.

#include <cstddef>
#include <span>
#include <vector>

namespace bytecnn::exporter {

/// Tap by tap: [kernel_size][channels of the filter's group].
struct FilterTaps {
  std::size_t filter = 0;
  std::size_t first_channel = 0;
  std::size_t channels = 0;
  std::size_t kernel = 0;
  std::vector<double> exact, exported;
  std::vector<double> deviation;    ///< exported - exact
  std::vector<double> uncertainty;  ///< of `exact`, and so of `deviation`

  [[nodiscard]] std::span<const double> tap(const std::vector<double>& values, std::size_t k) const {
    return std::span(values).subspan(k * channels, channels);
  }
};

}  // namespace bytecnn::exporter
