#include "bytecnn/batch_norm.hpp"

#include <cmath>
#include <cstddef>
#include <string>

#include "bytecnn/error.hpp"

namespace bytecnn {

ScaleShift scale_and_shift(const BatchNormStatistics& statistics) {
  const std::size_t channels = statistics.variance.size();
  if (statistics.gamma.size() != channels || statistics.beta.size() != channels || statistics.mean.size() != channels) {
    throw Error(ErrorCode::invalid, "batch norm's gamma, beta, mean and variance differ in length");
  }
  if (!(statistics.eps >= 0) || !std::isfinite(statistics.eps)) {
    throw Error(ErrorCode::invalid, "batch norm's eps is not a finite number of at least 0", {}, ">= 0",
                std::to_string(statistics.eps));
  }
  ScaleShift result{std::vector<double>(channels), std::vector<double>(channels)};
  for (std::size_t c = 0; c < channels; ++c) {
    const std::string where = "channel " + std::to_string(c);
    if (!(statistics.variance[c] >= 0)) {
      throw Error(ErrorCode::invalid, "batch norm's running variance is negative or not a number", where, ">= 0",
                  std::to_string(statistics.variance[c]));
    }
    const double scale = statistics.gamma[c] / std::sqrt(statistics.variance[c] + statistics.eps);
    const double shift = statistics.beta[c] - statistics.mean[c] * scale;
    if (!std::isfinite(scale) || !std::isfinite(shift)) {
      throw Error(ErrorCode::invalid, "batch norm gives a number that is not finite (variance + eps is 0?)", where);
    }
    result.scale[c] = scale;
    result.shift[c] = shift;
  }
  return result;
}

void fold_batch_norm(const ScaleShift& batch_norm, std::vector<double>& weight, std::vector<double>& bias) {
  const std::size_t filters = batch_norm.scale.size();
  const std::size_t row = filters == 0 ? 0 : weight.size() / filters;
  bias.resize(filters, 0.0);
  for (std::size_t f = 0; f < filters; ++f) {
    for (std::size_t i = 0; i < row; ++i) weight[f * row + i] *= batch_norm.scale[f];
    bias[f] = bias[f] * batch_norm.scale[f] + batch_norm.shift[f];
  }
}

}  // namespace bytecnn
