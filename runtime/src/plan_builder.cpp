#include "plan_builder.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bytecnn/error.hpp"

#include "reference_columns.hpp"

namespace bytecnn {
namespace {

/// Tables beyond this size leave the caches; the convolution then runs on embedded rows.
constexpr std::size_t max_table_bytes = std::size_t{4} << 20U;
/// Columns a stage passes on at once: enough for several register blocks, few enough to stay in the first-level cache.
constexpr std::uint32_t tile_columns = 48;
/// Offsets into the working memory are 32 bits; models that people train need a thousandth of this.
constexpr std::size_t max_working_floats = std::size_t{1} << 28U;
/// Beyond so many tokens the run of padding is not worth the reference's time when a plan is built.
constexpr std::int64_t max_pad_run_tokens = 1 << 16;
constexpr std::uint32_t pool_memory_columns = 4;
constexpr std::size_t cache_line_floats = 16;

/// Vectors of filters that are pooled in registers at once: a sum and a maximum each, and room to work.
constexpr std::size_t max_block_vectors = 6;

/// Four lanes are few enough that a shared tail would not pay for its half loads.
bool shares_tails(std::uint32_t lanes) {
  return lanes >= 8;
}

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Longer sums over channels round too much once they are transformed back.
constexpr std::size_t max_chain_inputs = 16;

constexpr std::size_t min_block_tiles = 12;

/// Kernels 3 and 5 with stride and dilation 1, and enough channels that the products outweigh the transforms.
bool suits_winograd(const ConvStage& stage) {
  return stage.kind == ConvStage::Kind::direct && stage.groups == 1 && stage.stride == 1 && stage.dilation == 1 &&
         (stage.kernel_size == 3 || stage.kernel_size == 5) && stage.group_inputs >= 8 && stage.group_filters >= 8;
}

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

PlannedModel::PlannedModel(const Model& model, std::uint32_t lanes, std::uint32_t registers, bool winograd)
    : lanes_(lanes), registers_(registers), allow_winograd_(winograd) {
  const Architecture& architecture = model.architecture;
  plan_.lanes = lanes;
  plan_.vocab_size = architecture.vocab_size;
  plan_.max_len = architecture.max_len;
  plan_.padded = architecture.pad_token.has_value();
  plan_.pad_token = architecture.pad_token.value_or(0);
  plan_.output = architecture.output;

  const ConvLayer& first = architecture.conv_layers[0];
  const std::size_t table_floats =
      (std::size_t{architecture.vocab_size} + 1) * first.kernel_size * round_up(first.filters, lanes);
  const bool tables = !first.residual && table_floats * sizeof(float) <= max_table_bytes;
  // The edges' tokens must fit where they are staged.
  const std::uint64_t edges = std::uint64_t{first.reach()} + first.pad_left + first.pad_right + first.stride;
  plan_.pool_in_registers = tables && architecture.conv_layers.size() == 1 &&
                            4 * edges <= TableStage::max_edge_tokens &&
                            first.activation.kind == Activation::Kind::relu && model.weights.conv[0].scale.empty() &&
                            architecture.pooling != Pooling::concat_avg_max_std;
  if (tables) {
    build_table(model);
  } else {
    build_embedding(model);
  }
  std::uint32_t width = plan_.table.vectors * lanes;
  for (std::size_t i = tables ? 1 : 0; i < architecture.conv_layers.size(); ++i) {
    build_conv(model, i, width);
    width = convs_.back().output_floats;
  }
  plan_.convs = convs_.data();
  plan_.conv_count = static_cast<std::uint32_t>(convs_.size());

  for (const ConvLayer& layer : architecture.conv_layers) {
    plan_.receptive_field += std::uint64_t{layer.reach()} * plan_.total_stride;
    plan_.total_pad_left += std::uint64_t{layer.pad_left} * plan_.total_stride;
    plan_.total_stride *= layer.stride;
  }
  build_pool(model, width / lanes);
  build_head(model);
  lay_out_working_memory();
}

float* PlannedModel::allocate(std::size_t floats) {
  const std::size_t bytes = std::max<std::size_t>(round_up(floats * sizeof(float), 64), 64);
  auto* memory = static_cast<float*>(::operator new[](bytes, std::align_val_t{64}));
  memory_.emplace_back(memory);
  std::memset(memory, 0, bytes);
  return memory;
}

std::uint32_t PlannedModel::vectors_for(std::size_t channels) const {
  return static_cast<std::uint32_t>(round_up(channels, lanes_) / lanes_);
}

void PlannedModel::build_table(const Model& model) {
  const Architecture& architecture = model.architecture;
  const ConvLayer& layer = architecture.conv_layers[0];
  const ConvWeights& conv = model.weights.conv[0];
  const std::size_t dim = architecture.embed_dim;
  const std::size_t kernel = layer.kernel_size;
  const std::size_t filters = layer.filters;
  const std::size_t group_inputs = dim / layer.groups;
  const std::size_t group_filters = filters / layer.groups;

  TableStage& table = plan_.table;
  table.kernel_size = layer.kernel_size;
  table.stride = layer.stride;
  table.dilation = layer.dilation;
  table.pad_left = layer.pad_left;
  table.pad_right = layer.pad_right;
  table.vectors = vectors_for(filters);

  // weight[tap][d][filter] in double, so that the innermost loop runs over filters.
  std::vector<double> weight(kernel * dim * filters, 0.0);
  for (std::size_t f = 0; f < filters; ++f) {
    const std::size_t first = f / group_filters * group_inputs;
    for (std::size_t d = 0; d < group_inputs; ++d) {
      for (std::size_t k = 0; k < kernel; ++k) {
        weight[(k * dim + first + d) * filters + f] = conv.weight[(f * group_inputs + d) * kernel + k];
      }
    }
  }
  // rows[token][tap][filter]; the last token is "outside the input".
  std::vector<float> rows((std::size_t{architecture.vocab_size} + 1) * kernel * filters);
  std::vector<double> sums(filters);
  for (std::size_t token = 0; token <= architecture.vocab_size; ++token) {
    for (std::size_t k = 0; k < kernel; ++k) {
      // Tap 0 of every window has some row, be it the one of "outside", so the bias is always there.
      if (k == 0) {
        std::copy(conv.bias.begin(), conv.bias.end(), sums.begin());
      } else {
        std::fill(sums.begin(), sums.end(), 0.0);
      }
      if (token < architecture.vocab_size) {
        for (std::size_t d = 0; d < dim; ++d) {
          const double e = model.weights.embedding[token * dim + d];
          const double* w = &weight[(k * dim + d) * filters];
          for (std::size_t f = 0; f < filters; ++f) sums[f] += e * w[f];
        }
      }
      std::transform(sums.begin(), sums.end(),
                     rows.begin() + static_cast<std::ptrdiff_t>((token * kernel + k) * filters),
                     [](double sum) { return static_cast<float>(sum); });
    }
  }
  if (plan_.pool_in_registers) {
    pack_table_blocks(rows, filters);
  } else {
    pack_table_rows(rows, filters);
  }
  build_epilogue(layer, conv, std::size_t{table.vectors} * lanes_, table.epilogue);
}

void PlannedModel::pack_table_rows(const std::vector<float>& rows, std::size_t filters) {
  TableStage& table = plan_.table;
  const std::size_t width = std::size_t{table.vectors} * lanes_;
  table.row_floats = static_cast<std::uint32_t>(table.kernel_size * width);
  const std::size_t taps = rows.size() / filters;  // of all tokens
  float* packed = allocate(taps * width);
  table.rows = packed;
  for (std::size_t t = 0; t < taps; ++t) std::copy_n(&rows[t * filters], filters, packed + t * width);
}

void PlannedModel::pack_table_blocks(const std::vector<float>& rows, std::size_t filters) {
  TableStage& table = plan_.table;
  const std::size_t kernel = table.kernel_size;
  const std::size_t tokens = rows.size() / filters / kernel;
  const bool adjacent = table.stride == 1 && table.dilation == 1;
  table.block_kernel = adjacent && (kernel == 3 || kernel == 5) ? table.kernel_size : 0;
  const std::size_t half = lanes_ / 2;
  const std::size_t rest = filters % lanes_;
  const bool tail = table.block_kernel != 0 && shares_tails(lanes_) && rest > 0 && rest <= half;
  const std::size_t vectors = filters / lanes_ + (rest > 0 && !tail ? 1 : 0);
  const std::size_t parts = vectors + (tail ? 1 : 0);
  const std::size_t blocks = (parts + max_block_vectors - 1) / max_block_vectors;
  const std::size_t block_parts = (parts + blocks - 1) / blocks;

  for (std::size_t first = 0; first < parts; first += block_parts) {
    TableBlock block;
    const std::size_t mine = std::min(block_parts, parts - first);
    block.first = static_cast<std::uint32_t>(first * lanes_);
    block.tail = tail && first + mine == parts;
    block.vectors = static_cast<std::uint32_t>(mine - (block.tail ? 1 : 0));
    const std::size_t width = std::size_t{block.vectors} * lanes_;
    const std::size_t row_floats = kernel * width + (block.tail ? (kernel - 1) * lanes_ : 0);
    float* packed = allocate(tokens * row_floats);
    block.rows = packed;
    for (std::size_t token = 0; token < tokens; ++token) {
      const float* row = &rows[token * kernel * filters];
      float* out = packed + token * row_floats;
      for (std::size_t k = 0; k < kernel; ++k) {
        const std::size_t count = std::min(width, filters - std::min<std::size_t>(filters, block.first));
        std::copy_n(row + k * filters + block.first, count, out + k * width);
      }
      if (!block.tail) continue;
      const std::size_t tail_first = block.first + width;
      for (std::size_t j = 1; j < kernel; ++j) {  // [T_j | T_j-1]
        float* at = out + kernel * width + (j - 1) * lanes_;
        std::copy_n(row + j * filters + tail_first, filters - tail_first, at);
        std::copy_n(row + (j - 1) * filters + tail_first, filters - tail_first, at + half);
      }
    }
    table_blocks_.push_back(block);
  }
  table.blocks = table_blocks_.data();
  table.block_count = static_cast<std::uint32_t>(table_blocks_.size());
}

void PlannedModel::build_embedding(const Model& model) {
  const Architecture& architecture = model.architecture;
  const std::size_t dim = architecture.embed_dim;
  TableStage& table = plan_.table;
  table.vectors = vectors_for(dim);
  table.row_floats = table.vectors * lanes_;
  float* rows = allocate((std::size_t{architecture.vocab_size} + 1) * table.row_floats);
  table.rows = rows;
  for (std::size_t token = 0; token < architecture.vocab_size; ++token) {
    std::copy_n(&model.weights.embedding[token * dim], dim, rows + token * table.row_floats);
  }
}

void PlannedModel::build_epilogue(const ConvLayer& layer, const ConvWeights& weights, std::size_t width,
                                  Epilogue& epilogue) {
  epilogue.activation = layer.activation.kind;
  epilogue.slope = layer.activation.slope;
  epilogue.residual = layer.residual;
  if (weights.scale.empty()) return;
  float* scale = allocate(width);
  float* shift = allocate(width);
  std::copy(weights.scale.begin(), weights.scale.end(), scale);
  std::copy(weights.shift.begin(), weights.shift.end(), shift);
  epilogue.scale = scale;
  epilogue.shift = shift;
}

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

void PlannedModel::build_pool(const Model& model, std::uint32_t vectors) {
  plan_.pool.pooling = model.architecture.pooling;
  plan_.pool.channels = model.architecture.conv_layers.back().filters;
  plan_.pool.vectors = vectors;
  if (plan_.padded) build_pad_run(model);
}

void PlannedModel::build_pad_run(const Model& model) {
  // Column j sees the tokens from j * stride - pad on; constant are those that see nothing but padding and no border.
  const auto stride = static_cast<std::int64_t>(plan_.total_stride);
  const auto pad = static_cast<std::int64_t>(plan_.total_pad_left);
  const auto field = static_cast<std::int64_t>(plan_.receptive_field);
  const auto length = static_cast<std::int64_t>(plan_.max_len);
  const auto last_constant = [&](std::int64_t tokens) {
    const std::int64_t room = tokens - field + pad;
    return room < 0 ? -1 : room / stride;
  };
  const std::int64_t first_constant = (pad + stride - 1) / stride;  // of an empty text
  if (last_constant(length) < first_constant) return;

  // A shorter run of padding has the same constant and the same border, if the strides meet the end in the same way.
  const std::int64_t shortest = first_constant * stride + field - pad;
  const std::int64_t tokens = length - (length - shortest) / stride * stride;
  if (tokens > max_pad_run_tokens) return;
  const std::vector<double> columns =
      reference_columns(model, std::vector<std::uint32_t>(static_cast<std::size_t>(tokens), plan_.pad_token));
  const std::size_t channels = plan_.pool.channels;
  const std::size_t positions = columns.size() / channels;
  const auto constant = static_cast<std::size_t>(last_constant(tokens));

  PadRun& run = plan_.pool.pad_run;
  const std::size_t width = std::size_t{plan_.pool.vectors} * lanes_;
  float* memory = allocate(4 * width);
  run.present = true;
  run.last_constant = last_constant(length);
  run.constant = memory;
  run.border_sum = memory + width;
  run.largest = memory + 2 * width;
  run.border_squares = memory + 3 * width;
  run.border_columns = static_cast<std::uint32_t>(positions - constant - 1);
  for (std::size_t c = 0; c < channels; ++c) {
    const double* row = &columns[c * positions];
    double sum = 0;
    double largest = row[constant];
    for (std::size_t p = constant + 1; p < positions; ++p) {
      sum += row[p];
      largest = std::max(largest, row[p]);
    }
    double squares = 0;
    for (std::size_t p = constant + 1; p < positions; ++p) {
      const double distance = row[p] - sum / run.border_columns;
      squares += distance * distance;
    }
    memory[c] = static_cast<float>(row[constant]);
    memory[width + c] = static_cast<float>(sum);
    memory[2 * width + c] = static_cast<float>(largest);
    memory[3 * width + c] = static_cast<float>(squares);
  }
}

void PlannedModel::build_head(const Model& model) {
  const auto add = [this](const DenseWeights& weights, const Activation& activation) {
    DenseStage stage;
    stage.units = static_cast<std::uint32_t>(weights.bias.size());
    stage.inputs = static_cast<std::uint32_t>(weights.weight.size() / weights.bias.size());
    stage.vectors = vectors_for(stage.units);
    stage.activation = activation.kind;
    stage.slope = activation.slope;
    const std::size_t width = std::size_t{stage.vectors} * lanes_;
    float* bias = allocate(width);
    std::copy(weights.bias.begin(), weights.bias.end(), bias);
    stage.bias = bias;
    const bool single = stage.units == 1;  // then the inputs lie in lanes
    float* packed = allocate(single ? round_up(stage.inputs, lanes_) : stage.inputs * width);
    for (std::size_t u = 0; u < stage.units; ++u) {
      for (std::size_t i = 0; i < stage.inputs; ++i) {
        packed[single ? i : i * width + u] = weights.weight[u * stage.inputs + i];
      }
    }
    stage.weights = packed;
    dense_.push_back(stage);
  };
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    add(model.weights.dense[i], model.architecture.dense_layers[i].activation);
  }
  add(model.weights.output, {Activation::Kind::none});
  plan_.dense = dense_.data();
  plan_.dense_count = static_cast<std::uint32_t>(dense_.size());
}

void PlannedModel::lay_out_working_memory() {
  std::size_t floats = 0;
  const auto take = [&floats](std::size_t wanted) {
    const std::size_t offset = floats;
    floats += round_up(wanted, cache_line_floats);
    return static_cast<std::uint32_t>(offset);
  };
  for (ConvStage& stage : convs_) {
    // Even a full buffer must hold one register block's windows, and take another tile.
    const std::size_t windows =
        std::size_t{stage.block_positions} * stage.stride + stage.dilation * (stage.kernel_size - 1) + 1;
    stage.buffer_columns = static_cast<std::uint32_t>(windows + tile_columns);
    stage.buffer_offset = take(std::size_t{stage.buffer_columns} * stage.input_floats);
  }
  std::size_t scratch = 0;
  for (const ConvStage& stage : convs_) {
    if (stage.winograd == nullptr) continue;
    const std::size_t columns = std::size_t{stage.winograd->transform.points()} * stage.winograd->block_tiles;
    scratch = std::max(scratch, columns * (stage.input_floats + stage.winograd->chains * stage.output_floats));
  }
  plan_.scratch_offset = take(scratch);
  const std::size_t pool_width = std::size_t{plan_.pool.vectors} * lanes_;
  plan_.tile_columns = tile_columns;
  plan_.tile_offset = take(tile_columns * pool_width);
  plan_.pool_offset = take(pool_memory_columns * pool_width);
  plan_.state_offset = take(convs_.size() * sizeof(StageState) / sizeof(float));
  std::size_t features = 3 * pool_width;  // the parts of a concatenating pool overlap by less than a vector
  for (const DenseStage& stage : dense_)
    features = std::max<std::size_t>(features, std::size_t{stage.vectors} * lanes_);
  plan_.features_floats = static_cast<std::uint32_t>(round_up(features, cache_line_floats));
  plan_.features_offset = take(2 * std::size_t{plan_.features_floats});
  plan_.working_floats = floats;
  if (floats > max_working_floats) {
    throw Error(ErrorCode::limit, "a layer's windows reach too far for this engine: too much working memory",
                "/architecture/conv_layers", "at most " + std::to_string(max_working_floats * sizeof(float)) + " bytes",
                std::to_string(floats * sizeof(float)));
  }
}

std::string PlannedModel::description() const {
  const auto number = [](std::size_t value) { return std::to_string(value); };
  const TableStage& table = plan_.table;
  std::string text;
  if (convs_.empty() || table.kernel_size > 1 || table.epilogue.activation != Activation::Kind::none) {
    const std::size_t bytes =
        (std::size_t{plan_.vocab_size} + 1) * table.kernel_size * table.vectors * lanes_ * sizeof(float);
    text += "embedding + conv 1: tables, " + number(table.kernel_size) + " row loads a position, " +
            number(bytes / 1024) + " KiB" + (plan_.pool_in_registers ? ", pooled in registers" : "") + "\n";
  } else {
    text += "embedding: row look-up (the first layer's tables would not pay, or it is residual)\n";
  }
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    const ConvStage& stage = convs_[i];
    text += "conv stage " + number(i + 1) + ": ";
    if (stage.kind == ConvStage::Kind::depthwise) {
      text += "depthwise, channels in lanes";
    } else if (stage.kind == ConvStage::Kind::winograd) {
      const WinogradStage& winograd = *stage.winograd;
      text += "Winograd F(" + number(winograd.transform.outputs) + "," + number(winograd.transform.kernel) + "), " +
              number(winograd.chains) + (winograd.chains == 1 ? " chain" : " chains") + " of sums";
    } else {
      text += "direct, register blocks of " + number(stage.block_positions) + " positions x " +
              number(stage.block_vectors) + " vectors";
      if (stage.groups > 1) text += ", " + number(stage.groups) + " groups";
    }
    text += ", kernel " + number(stage.kernel_size) + ", " + number(stage.group_inputs) + " -> " +
            number(stage.group_filters) + " channels\n";
  }
  text += plan_.pool.pad_run.present ? "pooling: columns of padding alone are counted, not computed\n"
                                     : "pooling: every column is computed\n";
  text += "working memory: " + number(plan_.working_floats * sizeof(float) / 1024) + " KiB\n";
  return text;
}

}  // namespace bytecnn
