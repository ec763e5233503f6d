#include "conv_method.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "winograd.hpp"

namespace bytecnn {
namespace {

constexpr double typical_block_columns = 48;

double vectors(std::uint32_t numbers, std::uint32_t lanes) {
  return std::ceil(static_cast<double>(numbers) / lanes);
}

/// Two multiply-adds a cycle; without FMA a multiplication and an addition share the units. A single vector of sums is
/// bound by its loads instead: one a sum.
double product_cycles(double products, double sums, VectorUnit unit) {
  const bool fma = unit.registers == 32 || unit.lanes > 4;
  const double load_bound = sums == 1 && fma ? 1.3 : 1.0;
  return products * sums * (fma ? 0.5 : 1.0) * load_bound;
}

}  // namespace

double cycles_a_column(const ConvStage& stage, VectorUnit unit, ConvStage::Method method) {
  const double groups = stage.groups;
  const double inputs = stage.group_inputs;
  const double input_vectors = static_cast<double>(stage.input_floats) / unit.lanes;
  const double filter_vectors = vectors(stage.group_filters, unit.lanes);
  const double pair_vectors = vectors(2 * stage.group_filters, unit.lanes);
  switch (method) {
    case ConvStage::Method::direct:
      return groups * (product_cycles(inputs * stage.kernel_size, filter_vectors, unit) + (groups > 1 ? 2 : 0));
    case ConvStage::Method::paired: {
      // An input column that some tap reads costs a zip of two stores a vector, an output column an unzip.
      const double stride = stage.stride;
      const double columns = stride + stage.reach() / typical_block_columns;
      const double zip = 2.5 * input_vectors * columns * std::min(1.0, stage.kernel_size / (2 * stride));
      return groups * (product_cycles(inputs * stage.kernel_size, pair_vectors, unit) / 2 + 2 * filter_vectors) + zip;
    }
    case ConvStage::Method::winograd: {
      const double pairs = stage.winograd.pairs + 1.0;
      const double products = pairs * product_cycles(inputs, pair_vectors, unit);
      const double transforms = 3 * pairs * input_vectors + (2 * pairs + 1.5 * stage.winograd.outputs) * pair_vectors;
      return (products + transforms) / stage.winograd.outputs;
    }
    case ConvStage::Method::lanewise:
      break;
  }
  return std::numeric_limits<double>::infinity();  // lay_out_lanewise estimates it
}

WinogradLimit WinogradLimit::stricter() const noexcept {
  constexpr std::uint32_t short_chain = 16;
  if (longest_chain > short_chain) return {outputs, short_chain};
  return {outputs == 4 ? 2U : 0U, short_chain};
}

void choose_method(ConvStage& stage, VectorUnit unit, WinogradLimit limit) {
  stage.method = ConvStage::Method::direct;
  double best = cycles_a_column(stage, unit, stage.method);
  const double paired = cycles_a_column(stage, unit, ConvStage::Method::paired);
  if (paired < best) {
    stage.method = ConvStage::Method::paired;
    best = paired;
  }
  const bool short_kernel = stage.kernel_size == 3 || stage.kernel_size == 5;
  if (!short_kernel || stage.groups != 1 || stage.stride != 1 || stage.dilation != 1) return;
  for (std::uint32_t outputs = 2; outputs <= limit.outputs; outputs += 2) {
    ConvStage candidate = stage;
    candidate.winograd = make_winograd_transform(outputs, stage.kernel_size);
    candidate.method = ConvStage::Method::winograd;
    const double cycles = cycles_a_column(candidate, unit, candidate.method);
    if (cycles >= best) continue;
    stage = candidate;
    best = cycles;
  }
}

}  // namespace bytecnn
