// Convolutions over columns: which kind each is, and its weights in the order in which the kernels read them.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

/// A grouped convolution whose groups leave most lanes idle is cheaper as a full one with zeros in it.
bool cheaper_ungrouped(const ConvLayer& layer, std::uint32_t inputs, std::uint32_t lanes) {
  const std::size_t group_filters = layer.filters / layer.groups;
  const std::size_t grouped = layer.groups * round_up(group_filters, lanes) * (inputs / layer.groups);
  return round_up(layer.filters, lanes) * inputs <= grouped;
}

/// The same weights [filters][in_channels][kernel] with zeros between the groups.
std::vector<float> ungroup(const ConvLayer& layer, std::uint32_t inputs, const std::vector<float>& weight) {
  const std::size_t group_inputs = inputs / layer.groups;
  const std::size_t group_filters = layer.filters / layer.groups;
  const std::size_t kernel = layer.kernel_size;
  std::vector<float> full(std::size_t{layer.filters} * inputs * kernel, 0.0F);
  for (std::size_t f = 0; f < layer.filters; ++f) {
    const std::size_t first = f / group_filters * group_inputs;
    std::copy_n(&weight[f * group_inputs * kernel], group_inputs * kernel, &full[(f * inputs + first) * kernel]);
  }
  return full;
}

}  // namespace

void PlannedModel::build_conv(const Model& model, std::size_t layer_index, std::uint32_t input_floats) {
  const ConvLayer& layer = model.architecture.conv_layers[layer_index];
  const ConvWeights& conv = model.weights.conv[layer_index];
  const std::uint32_t inputs = model.architecture.in_channels(layer_index);

  ConvStage stage;
  stage.kernel_size = layer.kernel_size;
  stage.stride = layer.stride;
  stage.dilation = layer.dilation;
  stage.pad_left = layer.pad_left;
  stage.pad_right = layer.pad_right;
  stage.input_floats = input_floats;
  if (layer.groups == inputs && layer.filters == inputs && inputs > 1) {
    stage.kind = ConvStage::Kind::depthwise;
    stage.group_inputs = stage.group_filters = inputs;
    stage.block_positions = 1;
    build_depthwise_weights(stage, conv.weight, conv.bias);
    stage.output_floats = stage.group_vectors * lanes_;
  } else {
    const bool ungrouped = layer.groups == 1 || cheaper_ungrouped(layer, inputs, lanes_);
    const std::vector<float> weight = ungrouped && layer.groups > 1 ? ungroup(layer, inputs, conv.weight) : conv.weight;
    stage.groups = ungrouped ? 1 : layer.groups;
    stage.group_inputs = inputs / stage.groups;
    stage.group_filters = layer.filters / stage.groups;
    build_direct_weights(stage, weight, conv.bias);
    if (allow_winograd_ && suits_winograd(stage)) build_winograd(stage, weight);
  }
  stage.relu = layer.activation.kind == Activation::Kind::relu;
  build_epilogue(layer, conv, stage.output_floats, stage.epilogue);
  convs_.push_back(stage);
}

void PlannedModel::build_direct_weights(ConvStage& stage, const std::vector<float>& weight,
                                        const std::vector<float>& bias) {
  // Sums, weights and one broadcast input must fit the registers: 24 + 4 + 1 of 32, or 12 + 3 + 1 of 16.
  const std::uint32_t most_vectors = registers_ == 32 ? 4 : 3;
  const std::uint32_t sums = registers_ == 32 ? 24 : 12;
  stage.group_vectors = vectors_for(stage.group_filters);
  const std::uint32_t blocks = (stage.group_vectors + most_vectors - 1) / most_vectors;
  stage.block_vectors = (stage.group_vectors + blocks - 1) / blocks;
  stage.block_positions = sums / stage.block_vectors;
  const std::size_t group_lanes = std::size_t{stage.group_vectors} * lanes_;
  // The idle lanes of the last group spill behind the last filter.
  stage.output_floats =
      static_cast<std::uint32_t>(round_up((stage.groups - 1) * stage.group_filters + group_lanes, lanes_));

  const std::size_t window = std::size_t{stage.kernel_size} * stage.group_inputs;
  float* packed = allocate(stage.groups * window * group_lanes);
  float* packed_bias = allocate(stage.groups * group_lanes);
  stage.weights = packed;
  stage.bias = packed_bias;
  for (std::uint32_t g = 0; g < stage.groups; ++g) {
    std::copy_n(&bias[std::size_t{g} * stage.group_filters], stage.group_filters, packed_bias + g * group_lanes);
    for (std::uint32_t v = 0; v < stage.group_vectors;) {
      const std::uint32_t vectors = std::min(stage.block_vectors, stage.group_vectors - v);
      for (std::uint32_t k = 0; k < stage.kernel_size; ++k) {
        for (std::uint32_t c = 0; c < stage.group_inputs; ++c) {
          for (std::uint32_t lane = 0; lane < vectors * lanes_; ++lane) {
            const std::uint32_t filter = v * lanes_ + lane;
            if (filter < stage.group_filters) {
              const std::size_t row = std::size_t{g} * stage.group_filters + filter;
              *packed = weight[(row * stage.group_inputs + c) * stage.kernel_size + k];
            }
            ++packed;
          }
        }
      }
      v += vectors;
    }
  }
}

void PlannedModel::build_depthwise_weights(ConvStage& stage, const std::vector<float>& weight,
                                           const std::vector<float>& bias) {
  stage.group_vectors = vectors_for(stage.group_filters);
  const std::size_t width = std::size_t{stage.group_vectors} * lanes_;
  float* packed = allocate(stage.kernel_size * width);
  float* packed_bias = allocate(width);
  stage.weights = packed;
  stage.bias = packed_bias;
  std::copy(bias.begin(), bias.end(), packed_bias);
  for (std::size_t c = 0; c < stage.group_filters; ++c) {
    for (std::size_t k = 0; k < stage.kernel_size; ++k) packed[k * width + c] = weight[c * stage.kernel_size + k];
  }
}

void PlannedModel::build_epilogue(const ConvLayer& layer, const ConvWeights& weights, std::size_t width,
                                  Epilogue& epilogue) {
  epilogue.activation = layer.activation.kind;
  epilogue.slope = layer.activation.slope;
  epilogue.residual = layer.residual;
  epilogue.residual_column = layer.pad_left;
  if (weights.scale.empty()) return;
  float* scale = allocate(width);
  float* shift = allocate(width);
  std::copy(weights.scale.begin(), weights.scale.end(), scale);
  std::copy(weights.shift.begin(), weights.shift.end(), shift);
  epilogue.scale = scale;
  epilogue.shift = shift;
}

}  // namespace bytecnn
