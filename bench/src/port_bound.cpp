#include "port_bound.hpp"

#include <algorithm>
#include <cstdint>

namespace bytecnn::bench {
namespace {

double fmas_of_dense_layers(const Architecture& a) {
  double fmas = 0;
  double inputs = a.pooled_features();
  for (const DenseLayer& layer : a.dense_layers) {
    fmas += inputs * layer.units;
    inputs = layer.units;
  }
  return fmas + inputs * a.outputs;
}

double fmas_a_position(const Architecture& a, std::size_t i) {
  const ConvLayer& layer = a.conv_layers[i];
  return double(layer.kernel_size) * (a.in_channels(i) / layer.groups) * layer.filters;
}

}  // namespace

double engine_bound(const Architecture& a, std::size_t length, const Peaks& peaks) {
  const double lanes = static_cast<double>(peaks.lanes);
  std::uint64_t total = a.pad_token ? a.max_len : std::min<std::uint64_t>(length, a.max_len);
  std::uint64_t reached = std::min<std::uint64_t>(length, a.max_len);  // positions that the text can reach
  double nanoseconds = fmas_of_dense_layers(a) / lanes / peaks.fma;
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    const ConvLayer& layer = a.conv_layers[i];
    total = layer.output_length(total);
    reached = std::min(total, (reached + layer.pad_left + layer.stride - 1) / layer.stride);
    const auto positions = static_cast<double>(reached);
    if (i > 0) {
      nanoseconds += positions * fmas_a_position(a, i) / lanes / peaks.fma;
      continue;
    }
    const bool alone = a.conv_layers.size() == 1;
    const bool summed = alone && a.pooling != Pooling::max;
    const double vectors = layer.filters / lanes;
    const double loads = layer.kernel_size * vectors;
    const double adds = (layer.kernel_size - 1 + (summed ? 1 : 0)) * vectors;
    const double maxima = alone && layer.activation.kind == Activation::Kind::relu ? 2 * vectors : 0;
    nanoseconds += positions * std::max({loads / peaks.load, adds / peaks.add, (adds + maxima) / peaks.mixed});
  }
  return nanoseconds;
}

double direct_bound(const Architecture& a, std::size_t length, const Peaks& peaks) {
  std::uint64_t positions = a.pad_token ? a.max_len : std::min<std::uint64_t>(length, a.max_len);
  double fmas = fmas_of_dense_layers(a);
  for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
    positions = a.conv_layers[i].output_length(positions);
    fmas += static_cast<double>(positions) * fmas_a_position(a, i);
  }
  return fmas / static_cast<double>(peaks.lanes) / peaks.fma;
}

std::optional<double> bound_of(std::string_view contender, const Architecture& architecture, std::size_t length,
                               std::span<const Peaks> peaks) {
  constexpr std::string_view engine = "bytecnn ";
  for (const Peaks& of_isa : peaks) {
    if (contender.starts_with(engine) && contender.substr(engine.size()) == to_string(of_isa.isa)) {
      return engine_bound(architecture, length, of_isa);
    }
  }
  if (contender.ends_with(" direct") && !peaks.empty()) return direct_bound(architecture, length, peaks.front());
  return std::nullopt;
}

}  // namespace bytecnn::bench
