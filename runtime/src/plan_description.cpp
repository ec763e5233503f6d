// What was chosen, in words.

#include <cstddef>
#include <string>

#include "plan_builder.hpp"

namespace bytecnn {

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
