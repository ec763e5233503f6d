#include "plan_builder.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bytecnn/error.hpp"

namespace bytecnn {
namespace {

/// Tables of up to this size pay whatever the embedding's dimensions (README.md, "Tables or convolution"); beyond it
/// they take long to build and share no cache with anything else. The convolution then runs on embedded rows.
constexpr std::size_t max_table_bytes = std::size_t{4} << 20U;
/// Columns of a table that are pooled at once: enough to be worth the calls, few enough to stay in the first-level
/// cache.
constexpr std::uint32_t table_tile_columns = 48;
/// Offsets into the working memory are 32 bits; models that people train need a thousandth of this.
constexpr std::size_t max_working_floats = std::size_t{1} << 28U;
constexpr std::uint32_t pool_memory_columns = 4;
constexpr std::size_t cache_line_floats = 16;

}  // namespace

PlannedModel::PlannedModel(const Model& model, std::uint32_t lanes, std::uint32_t registers,
                           std::span<const WinogradLimit> limits)
    : lanes_(lanes), registers_(registers) {
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
  // Windows must fit where their tokens are staged, in 16 bits; two more tokens stand for "outside" and "nothing".
  const bool staged = first.reach() < TableStage::max_window_span && first.stride <= TableStage::max_window_stride &&
                      architecture.vocab_size + 1 <= std::numeric_limits<std::uint16_t>::max();
  plan_.pool_in_registers = tables && staged && architecture.conv_layers.size() == 1 &&
                            first.activation.kind == Activation::Kind::relu && model.weights.conv[0].scale.empty() &&
                            architecture.pooling != Pooling::concat_avg_max_std;
  if (tables) {
    build_table(model);
  } else {
    build_embedding(model);
  }
  std::uint32_t width = plan_.table.vectors * lanes;
  first_layer_ = tables ? 2 : 1;
  for (std::size_t i = first_layer_ - 1; i < architecture.conv_layers.size(); ++i) {
    build_conv(model, i, width, limits[i]);
    width = convs_.back().output_floats;
  }
  plan_.convs = convs_.data();
  plan_.conv_count = static_cast<std::uint32_t>(convs_.size());
  if (!convs_.empty()) {
    const ConvStage& last = convs_.back();
    plan_.pool_in_tiles = last.method == ConvStage::Method::winograd && last.relu && last.epilogue.scale == nullptr &&
                          !last.epilogue.residual && architecture.pooling != Pooling::concat_avg_max_std;
    plan_.table_into_tiles = tables && staged && plan_.pool_in_tiles && convs_.size() == 1 &&
                             last.winograd.outputs == table_winograd_outputs &&
                             last.winograd.pairs == table_winograd_pairs && first.stride == 1 && first.dilation == 1 &&
                             first.kernel_size == table_winograd_kernel &&
                             first.activation.kind == Activation::Kind::relu && plan_.table.epilogue.scale == nullptr;
    if (plan_.table_into_tiles) convs_.back().block_tiles = table_winograd_tiles;
  }

  for (const ConvLayer& layer : architecture.conv_layers) {
    plan_.receptive_field += std::uint64_t{layer.reach()} * plan_.total_stride;
    plan_.total_pad_left += std::uint64_t{layer.pad_left} * plan_.total_stride;
    plan_.total_stride *= layer.stride;
  }
  build_pool(model, width / lanes);
  build_head(model);
  build_trigrams(model);
  lay_out_working_memory();
  build_bulk_plan();
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

void PlannedModel::lay_out_working_memory() {
  std::size_t floats = 0;
  const auto take = [&floats](std::size_t wanted) {
    const std::size_t offset = floats;
    floats += round_up(wanted, cache_line_floats);
    return static_cast<std::uint32_t>(offset);
  };
  // A full buffer holds one block's windows, and takes another tile of the stage before it until then: so it never
  // comes to a halt.
  std::uint32_t arriving = 1;
  std::size_t scratch = 0;
  for (ConvStage& stage : convs_) {
    // Where a stride is longer than a window, columns between two blocks are taken in and dropped.
    const std::size_t windows = std::size_t{stage.block_columns() - 1} * stage.stride +
                                std::max(std::size_t{stage.reach()} + 1, std::size_t{stage.stride});
    stage.buffer_columns = static_cast<std::uint32_t>(windows + arriving - 1);
    stage.buffer_offset = take(std::size_t{stage.buffer_columns} * stage.input_floats);
    arriving = stage.tile_columns;
    const std::size_t sums = std::size_t{stage.products.vectors} * lanes_;
    if (stage.method == ConvStage::Method::winograd) {
      const std::size_t points = stage.winograd.points();
      scratch = std::max(scratch, stage.block_tiles * points * (stage.input_floats + sums / 2));
    } else if (stage.method == ConvStage::Method::paired) {
      const std::size_t columns = (std::size_t{stage.block_tiles} - 1) * 2 * stage.stride + stage.reach() + 1;
      scratch = std::max(scratch, stage.block_tiles * sums + columns * 2 * stage.input_floats);
    }
  }
  plan_.scratch_offset = take(scratch);
  const std::size_t pool_width = std::size_t{plan_.pool.vectors} * lanes_;
  plan_.tile_columns = convs_.empty() ? table_tile_columns : convs_.back().block_columns();
  plan_.tile_offset = take(plan_.tile_columns * pool_width);
  plan_.pool_offset = take(pool_memory_columns * pool_width);
  plan_.state_offset = take(convs_.size() * sizeof(StageState) / sizeof(float));
  // Three parts for every pooling, because the variants of the plan pool all parts that there are; where parts are laid
  // end to end they overlap by less than a vector.
  std::size_t features = 3 * pool_width;
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

std::vector<ConvMethod> PlannedModel::conv_methods() const {
  std::vector<ConvMethod> methods;
  if (first_layer_ == 2) methods.push_back({ConvMethod::Kind::table});
  for (const ConvStage& stage : convs_) {
    ConvMethod method;
    if (stage.method == ConvStage::Method::winograd) {
      method = {ConvMethod::Kind::winograd, stage.winograd.outputs, stage.products.chain_steps, stage.block_columns()};
    }
    methods.push_back(method);
  }
  return methods;
}

}  // namespace bytecnn
