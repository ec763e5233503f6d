// Convolutions by Winograd's algorithm: transformed weights, one matrix product a point and chain of channels.

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "plan_builder.hpp"
#include "winograd.hpp"

namespace bytecnn {
namespace {

/// Longer sums over channels round too much once they are transformed back.
constexpr std::size_t max_chain_inputs = 16;

constexpr std::size_t min_block_tiles = 12;

}  // namespace

/// Kernels 3 and 5 with stride and dilation 1, and enough channels that the products outweigh the transforms.
bool PlannedModel::suits_winograd(const ConvStage& stage) {
  return stage.kind == ConvStage::Kind::direct && stage.groups == 1 && stage.stride == 1 && stage.dilation == 1 &&
         (stage.kernel_size == 3 || stage.kernel_size == 5) && stage.group_inputs >= 8 && stage.group_filters >= 8;
}

void PlannedModel::build_winograd(ConvStage& stage, const std::vector<float>& weight) {
  auto winograd = std::make_unique<WinogradStage>();
  winograd->transform = make_winograd_transform(4, stage.kernel_size);
  const WinogradTransform& transform = winograd->transform;
  const std::size_t points = transform.points();
  const std::size_t inputs = stage.group_inputs;
  winograd->chains = static_cast<std::uint32_t>((inputs + max_chain_inputs - 1) / max_chain_inputs);
  const std::size_t chain_inputs = (inputs + winograd->chains - 1) / winograd->chains;

  ConvStage product = stage;
  product.kernel_size = 1;
  std::vector<const float*> weights;
  const std::vector<float> no_bias(stage.group_filters, 0.0F);
  for (std::size_t p = 0; p < points; ++p) {
    for (std::size_t first = 0; first < inputs; first += chain_inputs) {
      const std::size_t count = std::min(chain_inputs, inputs - first);
      std::vector<float> transformed(stage.group_filters * count);
      for (std::size_t f = 0; f < stage.group_filters; ++f) {
        for (std::size_t c = 0; c < count; ++c) {
          const float* taps = &weight[(f * inputs + first + c) * transform.kernel];
          double sum = 0;
          for (std::size_t k = 0; k < transform.kernel; ++k)
            sum += transform.filter[p][k] * static_cast<double>(taps[k]);
          transformed[f * count + c] = static_cast<float>(sum);
        }
      }
      product.group_inputs = static_cast<std::uint32_t>(count);
      build_direct_weights(product, transformed, no_bias);
      weights.push_back(product.weights);
      if (first == 0) winograd->product = product;
      winograd->last_product = product;
    }
  }
  winograd->zero_bias = product.bias;
  winograd->zero_column = allocate(stage.input_floats);
  // Whole register blocks, and enough of them that their starts and ends do not show.
  winograd->block_tiles = static_cast<std::uint32_t>(round_up(min_block_tiles, product.block_positions));
  winograd_weights_.push_back(std::move(weights));
  winograd->weights = winograd_weights_.back().data();

  stage.kind = ConvStage::Kind::winograd;
  stage.block_positions = winograd->block_tiles * transform.outputs;
  stage.winograd = winograd.get();
  winograd_.push_back(std::move(winograd));
}

}  // namespace bytecnn
