// Convolutions over columns: which kind each is, and its weights in the order in which the kernels read them.

#include <algorithm>
#include <cstddef>
#include <utility>
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

/// Columns a stage computes together: enough that starting a block does not show, and more while what they need lies in
/// the first-level cache beside the weights.
constexpr std::uint32_t wanted_block_columns = 48;
constexpr std::size_t wanted_block_bytes = std::size_t{34} << 10U;

}  // namespace

void PlannedModel::build_conv(const Model& model, std::size_t layer_index, std::uint32_t input_floats,
                              WinogradLimit limit) {
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
  stage.relu = layer.activation.kind == Activation::Kind::relu;
  const VectorUnit unit{lanes_, registers_};
  const auto set_groups = [&](std::uint32_t groups) {
    stage.groups = groups;
    stage.group_inputs = inputs / groups;
    stage.group_filters = layer.filters / groups;
  };
  set_groups(layer.groups);
  const LanewiseLayout lanewise = lay_out_lanewise(stage, unit);
  const bool ungrouped = layer.groups == 1 || cheaper_ungrouped(layer, inputs, lanes_);
  if (ungrouped) set_groups(1);
  choose_method(stage, unit, limit);
  if (lanewise.cycles < cycles_a_column(stage, unit, stage.method)) {
    set_groups(layer.groups);
    stage.method = ConvStage::Method::lanewise;
    build_lanewise(stage, lanewise, conv.weight, conv.bias);
  } else {
    const std::vector<float> weight = ungrouped && layer.groups > 1 ? ungroup(layer, inputs, conv.weight) : conv.weight;
    if (stage.method == ConvStage::Method::winograd) {
      build_winograd(stage, weight, conv.bias, limit.longest_chain);
    } else {
      build_direct(stage, weight, conv.bias);
    }
    const bool pairs = stage.method != ConvStage::Method::direct;
    const std::uint32_t height = most_product_tiles(registers_, lanes_, stage.products.block_vectors, pairs);
    const std::uint32_t heights = wanted_block_columns / (height * stage.tile_columns);
    const auto fitting = static_cast<std::uint32_t>(wanted_block_bytes / (height * tile_bytes(stage)));
    stage.block_tiles = height * std::max({heights, std::min(fitting, 2 * heights), 1U});
  }
  build_epilogue(layer, conv, stage.output_floats, stage.epilogue);
  convs_.push_back(stage);
}

std::size_t PlannedModel::tile_bytes(const ConvStage& stage) const {
  std::size_t floats = std::size_t{stage.tile_columns} * stage.stride * stage.input_floats;
  if (stage.method == ConvStage::Method::winograd) {
    floats += stage.winograd.points() * (stage.input_floats + std::size_t{stage.products.vectors} * lanes_ / 2);
  } else {
    floats += floats + std::size_t{stage.products.vectors} * lanes_;
  }
  return floats * sizeof(float);
}

void PlannedModel::cut_into_blocks(ProductStage& products, std::size_t sums, bool pairs) const {
  const std::uint32_t most = most_product_vectors(registers_, lanes_, pairs);
  products.vectors = vectors_for(sums);
  products.blocks = (products.vectors + most - 1) / most;
  products.block_vectors = (products.vectors + products.blocks - 1) / products.blocks;
  products.wide_blocks = products.vectors - products.blocks * (products.block_vectors - 1);
}

std::vector<std::uint32_t> PlannedModel::step_order(const ProductStage& products, bool pairs) const {
  const std::uint32_t pass_steps = product_chains(registers_, pairs) * products.chain_steps;
  std::vector<std::uint32_t> order;
  for (std::uint32_t pass = 0; pass < products.steps; pass += pass_steps) {
    const std::uint32_t end = std::min(pass + pass_steps, products.steps);
    const std::uint32_t second = std::min(pass + products.chain_steps, end);
    for (std::uint32_t i = 0; pass + i < second; ++i) {
      order.push_back(pass + i);
      if (second + i < end) order.push_back(second + i);
    }
  }
  return order;
}

template <class Value>
const float* PlannedModel::pack_weights(const ProductStage& products, std::size_t groups, std::size_t parts,
                                        Value value) {
  float* const packed = allocate(groups * parts * products.steps * products.vectors * lanes_);
  float* next = packed;
  for (std::size_t group = 0; group < groups; ++group) {
    std::size_t first = 0;
    for (std::uint32_t block = 0; block < products.blocks; ++block) {
      const std::size_t vectors = products.block_vectors - (block < products.wide_blocks ? 0 : 1);
      const std::size_t behind = first + vectors * lanes_;
      for (std::size_t part = 0; part < parts; ++part) {
        for (std::size_t step = 0; step < products.steps; ++step) {
          for (std::size_t lane = first; lane < behind; ++lane) *next++ = value(group + part, step, lane);
        }
      }
      first = behind;
    }
  }
  return packed;
}

const std::uint32_t* PlannedModel::keep_offsets(std::vector<std::uint32_t> offsets) {
  offsets_.push_back(std::move(offsets));
  return offsets_.back().data();
}

void PlannedModel::build_direct(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias) {
  const std::uint32_t columns = stage.method == ConvStage::Method::paired ? 2 : 1;
  const std::size_t filters = stage.group_filters;
  const std::size_t inputs = stage.group_inputs;
  stage.tile_columns = columns;
  ProductStage& products = stage.products;
  products.steps = stage.kernel_size * stage.group_inputs;
  const std::uint32_t chains = product_chains(registers_, columns == 2);
  products.chain_steps = (products.steps + chains - 1) / chains;
  cut_into_blocks(products, columns * filters, columns == 2);

  const std::vector<std::uint32_t> order = step_order(products, columns == 2);
  std::vector<std::uint32_t> offsets;
  for (std::uint32_t c = 0; c < stage.groups * stage.group_inputs; c += stage.group_inputs) {
    for (const std::uint32_t step : order) {
      const std::uint32_t channel = c + step % stage.group_inputs;
      const std::uint32_t column = step / stage.group_inputs * stage.dilation;
      offsets.push_back(columns == 1 ? column * stage.input_floats + channel
                                     : column * 2 * stage.input_floats + pair_slot(channel, lanes_));
    }
  }
  products.offsets = keep_offsets(std::move(offsets));
  const std::uint64_t period = 2 * std::uint64_t{stage.stride};
  if (columns == 2 && period <= 64) {
    stage.zipped_columns = 0;
    for (std::uint64_t k = 0; k < stage.kernel_size; ++k) {
      stage.zipped_columns |= std::uint64_t{1} << k * stage.dilation % period;
    }
  }
  stage.zero_column = allocate(stage.input_floats);

  stage.weights = pack_weights(products, stage.groups, 1, [&](std::size_t group, std::size_t step, std::size_t lane) {
    const std::size_t filter = lane / columns;
    if (filter >= filters) return 0.0F;
    const std::size_t taken = order[step];
    return weight[((group * filters + filter) * inputs + taken % inputs) * stage.kernel_size + taken / inputs];
  });
  const std::size_t group_lanes = std::size_t{products.vectors} * lanes_;
  float* packed_bias = allocate(stage.groups * group_lanes);
  stage.bias = packed_bias;
  for (std::size_t g = 0; g < stage.groups; ++g) {
    for (std::size_t i = 0; i < columns * filters; ++i) {
      packed_bias[g * group_lanes + i] = bias[g * filters + i / columns];
    }
  }
  // The idle lanes of the last group spill behind the last filter.
  stage.output_floats = static_cast<std::uint32_t>(round_up(
      (stage.groups - 1) * filters + round_up(round_up(group_lanes, columns * lanes_) / columns, lanes_), lanes_));
}

void PlannedModel::build_winograd(ConvStage& stage, const std::vector<float>& weight, const std::vector<float>& bias,
                                  std::uint32_t longest_chain) {
  const WinogradTransform& transform = stage.winograd;
  const std::size_t filters = stage.group_filters;
  const std::size_t inputs = stage.group_inputs;
  stage.tile_columns = transform.outputs;
  ProductStage& products = stage.products;
  products.steps = stage.group_inputs;
  const auto chains = static_cast<std::uint32_t>(
      round_up((products.steps + longest_chain - 1) / longest_chain, product_chains(registers_, true)));
  products.chain_steps = (products.steps + chains - 1) / chains;
  cut_into_blocks(products, 2 * filters, true);

  const std::vector<std::uint32_t> order = step_order(products, true);
  std::vector<std::uint32_t> offsets;
  for (const std::uint32_t channel : order) offsets.push_back(pair_slot(channel, lanes_));
  products.offsets = keep_offsets(std::move(offsets));
  stage.zero_column = allocate(stage.input_floats);

  // The points of a pair: +p and -p, and at last 0 and infinity.
  const std::size_t pairs = transform.pairs;
  stage.weights = pack_weights(products, 1, pairs + 1, [&](std::size_t pair, std::size_t step, std::size_t lane) {
    const std::size_t filter = lane / 2;
    if (filter >= filters) return 0.0F;
    const std::size_t point = pair < pairs ? 1 + 2 * pair + lane % 2 : lane % 2 * (transform.points() - 1);
    return winograd_weight(transform, point, &weight[(filter * inputs + order[step]) * stage.kernel_size]);
  });
  float* packed_bias = allocate(std::size_t{products.vectors} * lanes_);
  stage.bias = packed_bias;
  for (std::size_t i = 0; i < 2 * filters; ++i) packed_bias[i] = bias[i / 2];
  stage.output_floats = static_cast<std::uint32_t>(round_up(filters, lanes_));
}

void PlannedModel::build_lanewise(ConvStage& stage, const LanewiseLayout& layout, const std::vector<float>& weight,
                                  const std::vector<float>& bias) {
  const std::size_t inputs = stage.group_inputs;
  const std::size_t filters = bias.size();
  const std::size_t width = layout.vectors.size() * lanes_;
  stage.output_floats = static_cast<std::uint32_t>(width);
  const std::size_t column_bytes = (std::size_t{stage.stride} * stage.input_floats + width) * sizeof(float);
  const std::size_t columns =
      std::clamp<std::size_t>(wanted_block_bytes / column_bytes, wanted_block_columns / 2, 4 * wanted_block_columns);
  const std::size_t together = std::size_t{lanewise_block_columns(registers_)} * layout.spacing;
  stage.block_tiles = static_cast<std::uint32_t>(std::max<std::size_t>(columns / together, 1) * together);
  LanewiseStage& lanewise = stage.lanewise;
  lanewise.steps = stage.group_inputs;
  lanewise.spacing = layout.spacing;
  lanewise.run_taps = layout.run_taps;
  auto& sources = lane_sources_.emplace_back();
  for (const LanewiseVector& vector : layout.vectors) {
    LaneSource source = vector.source;
    auto* const index = reinterpret_cast<std::int32_t*>(allocate(2 * LanewiseVector::most_lanes));
    std::copy(vector.index.begin(), vector.index.end(), index);
    source.index = index;
    // The floats behind it.
    float* const second_lanes = reinterpret_cast<float*>(index) + LanewiseVector::most_lanes;
    std::fill(second_lanes + vector.second_lane, second_lanes + LanewiseVector::most_lanes, 1.0F);
    source.second_lanes = second_lanes;
    sources.push_back(source);
  }
  lanewise.sources = sources.data();

  float* next = allocate(width * inputs * stage.kernel_size);
  stage.weights = next;
  for (std::size_t first = 0; first < width; first += lanes_) {
    for (std::size_t run = 0, taps = 0; run < stage.kernel_size; run += taps) {
      taps = lanewise_taps(layout.run_taps, stage.kernel_size - run);
      for (std::size_t step = 0; step < inputs; ++step) {
        for (std::size_t tap = run; tap < run + taps; ++tap, next += lanes_) {
          for (std::size_t lane = 0; lane < lanes_ && first + lane < filters; ++lane) {
            next[lane] = weight[((first + lane) * inputs + step) * stage.kernel_size + tap];
          }
        }
      }
    }
  }
  float* const packed_bias = allocate(width);
  std::copy(bias.begin(), bias.end(), packed_bias);
  stage.bias = packed_bias;
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
