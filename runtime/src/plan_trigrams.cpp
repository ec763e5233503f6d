// The plan of bulk calls: the first two layers by windows of the first.

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

/// Entries computed for a tile should stay in the second-level cache beside the table.
constexpr std::size_t max_tile_bytes = std::size_t{192} << 10U;
/// Twelve texts of 40 bytes or one of 512.
constexpr std::uint32_t max_tile_columns = 576;
constexpr std::uint32_t min_tile_columns = 32;

/// Which weight of the second layer an entry's float takes.
struct EntryFloat {
  std::uint32_t tap = 0, filter = 0;
};

/// Nothing where a lane is idle.
std::vector<std::optional<EntryFloat>> entry_layout(const TrigramStage& stage, std::uint32_t filters,
                                                    std::uint32_t lanes) {
  std::vector<std::optional<EntryFloat>> layout;
  const std::uint32_t whole = stage.vectors * lanes;
  const auto add = [&](std::uint32_t tap, std::uint32_t filter) {
    layout.push_back(filter < filters ? std::optional(EntryFloat{tap, filter}) : std::nullopt);
  };
  for (std::uint32_t k = 0; k < stage.taps; ++k) {
    for (std::uint32_t f = 0; f < whole; ++f) add(k, f);
  }
  for (std::uint32_t k = 1; stage.tail && k < stage.taps; ++k) {
    for (std::uint32_t lane = 0; lane < lanes; ++lane) add(lane < lanes / 2 ? k : k - 1, whole + lane % (lanes / 2));
  }
  return layout;
}

}  // namespace

bool PlannedModel::suits_trigrams(const Model& model) {
  const Architecture& a = model.architecture;
  if (a.conv_layers.size() < 2 || a.vocab_size >= 1U << TrigramTable::key_token_bits) return false;
  const ConvLayer& first = a.conv_layers[0];
  const ConvLayer& second = a.conv_layers[1];
  const auto adjacent = [](const ConvLayer& layer) { return layer.stride == 1 && layer.dilation == 1; };
  if (plan_.table.kernel_size != first.kernel_size || convs_.size() + 1 != a.conv_layers.size()) return false;
  if (first.kernel_size > 3 || !adjacent(first) || !adjacent(second) || second.groups != 1 || second.residual) {
    return false;
  }
  // The bias stands in the tap of the column's own position, which must exist for every column.
  return (second.kernel_size == 3 || second.kernel_size == 5) &&
         second.pad_left + second.pad_right <= second.kernel_size - 1;
}

void PlannedModel::build_trigrams(const Model& model) {
  if (!suits_trigrams(model)) return;
  const Architecture& a = model.architecture;
  const ConvLayer& second = a.conv_layers[1];
  const ConvWeights& weights = model.weights.conv[1];
  const std::uint32_t inputs = a.in_channels(1);

  auto stage = std::make_unique<TrigramStage>();
  stage->first = plan_.table;
  stage->taps = second.kernel_size;
  stage->pad_left = second.pad_left;
  stage->pooled = a.conv_layers.size() == 2 && second.activation.kind == Activation::Kind::relu &&
                  weights.scale.empty() && a.pooling != Pooling::concat_avg_max_std;
  const std::uint32_t rest = second.filters % lanes_;
  stage->tail = stage->pooled && shares_tails(lanes_) && rest > 0 && rest <= lanes_ / 2;
  stage->vectors = stage->tail ? second.filters / lanes_ : vectors_for(second.filters);
  build_epilogue(second, weights, std::size_t{vectors_for(second.filters)} * lanes_, stage->epilogue);

  const auto layout = entry_layout(*stage, second.filters, lanes_);
  stage->entry_floats = static_cast<std::uint32_t>(layout.size());
  if (bulk_table_entries(*stage) == 0) return;
  stage->zero_entry = allocate(layout.size());
  std::vector<float> product(layout.size() * inputs, 0.0F);
  std::vector<float> bias(layout.size(), 0.0F);
  for (std::size_t e = 0; e < layout.size(); ++e) {
    if (!layout[e]) continue;
    const auto [tap, filter] = *layout[e];
    for (std::size_t c = 0; c < inputs; ++c) {
      product[e * inputs + c] = weights.weight[(filter * std::size_t{inputs} + c) * second.kernel_size + tap];
    }
    if (tap == second.pad_left) bias[e] = weights.bias[filter];
  }
  stage->product.group_inputs = inputs;
  stage->product.group_filters = stage->entry_floats;
  stage->product.input_floats = plan_.table.vectors * lanes_;
  build_direct(stage->product, product, bias);
  trigrams_ = std::move(stage);
}

void PlannedModel::build_bulk_plan() {
  if (!trigrams_) return;
  TrigramStage& stage = *trigrams_;
  bulk_plan_ = plan_;
  Plan& plan = *bulk_plan_;
  plan.trigrams = trigrams_.get();
  const ConvStage& second = convs_[0];
  ++plan.convs;
  --plan.conv_count;
  plan.pool_in_tiles = plan.pool_in_tiles && plan.conv_count > 0;
  plan.table_into_tiles = false;
  plan.table.kernel_size += second.kernel_size - 1;
  plan.table.pad_left += second.pad_left;
  plan.table.pad_right += second.pad_right;
  plan.table.vectors = second.output_floats / lanes_;
  plan.table.rows = nullptr;

  const std::size_t entry_bytes = std::size_t{stage.entry_floats} * sizeof(float);
  const std::size_t fitting = max_tile_bytes / entry_bytes / min_tile_columns * min_tile_columns;
  stage.tile_columns = static_cast<std::uint32_t>(std::clamp<std::size_t>(fitting, min_tile_columns, max_tile_columns));
  const std::size_t windows = stage.tile_columns + stage.taps + stage.first.kernel_size;
  std::size_t floats = plan.working_floats;
  const auto take = [&floats](std::size_t wanted) {
    const std::size_t offset = floats;
    floats += round_up(wanted, 16);
    return static_cast<std::uint32_t>(offset);
  };
  stage.rows_offset = take(windows * sizeof(const float*) / sizeof(float));
  stage.keys_offset = take(windows);
  stage.missed_offset = take(windows);
  stage.seen_offset = take(TrigramStage::seen_slots * sizeof(std::uint16_t) / sizeof(float));
  stage.columns_offset = take(std::size_t{TrigramStage::block_columns} * stage.product.input_floats);
  stage.entries_offset = take(windows * stage.entry_floats);
  plan.working_floats = floats;
}

std::size_t bulk_table_entries(const TrigramStage& stage) {
  // More than the second-level cache holds: a frequent entry is there, a rare one still comes faster from the third
  // than it is computed. With fewer than a thousand most windows would be lacking.
  constexpr std::size_t max_bytes = std::size_t{5} << 19U;
  constexpr std::size_t min_entries = 1024;
  constexpr std::size_t max_entries = 8192;
  const std::size_t fitting = max_bytes / (stage.entry_floats * sizeof(float));
  return fitting < min_entries ? 0 : std::min(fitting, max_entries);
}

}  // namespace bytecnn
