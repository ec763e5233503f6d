// What was chosen, in words.

#include <cstddef>
#include <string>

#include "plan_builder.hpp"

namespace bytecnn {
namespace {

bool is_depthwise(const ConvStage& stage) {
  return stage.groups > 1 && stage.group_inputs == 1 && stage.group_filters == 1;
}

}  // namespace

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
    text += "conv " + number(i + first_layer_) + ": " + method(i + first_layer_ - 1);
    const std::size_t listed = is_depthwise(stage) ? stage.groups : 1;
    text += ", kernel " + number(stage.kernel_size) + ", " + number(listed * stage.group_inputs) + " -> " +
            number(listed * stage.group_filters) + " channels\n";
  }
  text += plan_.pool.pad_run.present ? "pooling: columns of padding alone are counted, not computed\n"
                                     : "pooling: every column is computed\n";
  if (trigrams_) {
    text += "bulk calls: windows of " + number(trigrams_->first.kernel_size) + " tokens looked up, " +
            number(bulk_table_entries(*trigrams_)) + " entries of " + number(trigrams_->entry_floats * sizeof(float)) +
            " bytes" + (trigrams_->pooled ? ", pooled in registers" : "") + "\n";
  }
  text += "working memory: " + number(plan_.working_floats * sizeof(float) / 1024) + " KiB\n";
  return text;
}

bool PlannedModel::uses_winograd(std::size_t layer) const noexcept {
  return layer + 1 >= first_layer_ && convs_[layer + 1 - first_layer_].method == ConvStage::Method::winograd;
}

std::string PlannedModel::method(std::size_t layer) const {
  if (layer + 1 < first_layer_) return "tables";
  const ConvStage& stage = convs_[layer + 1 - first_layer_];
  const std::string groups = stage.groups > 1 ? ", " + std::to_string(stage.groups) + " groups" : "";
  switch (stage.method) {
    case ConvStage::Method::lanewise:
      if (is_depthwise(stage)) return "depthwise, channels in lanes";
      return stage.groups > 1 ? "direct" + groups + " side by side" : "direct, inputs shared by taps";
    case ConvStage::Method::paired:
      return "direct, two columns a tile" + groups;
    case ConvStage::Method::winograd:
      return "Winograd F(" + std::to_string(stage.winograd.outputs) + "," + std::to_string(stage.kernel_size) +
             "), sums of " + std::to_string(stage.products.chain_steps);
    case ConvStage::Method::direct:
      break;
  }
  return "direct" + groups;
}

}  // namespace bytecnn
