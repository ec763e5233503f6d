#pragma once
/// The layers of a checkpoint in the order in which data flows through them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bytecnn/architecture_statement.hpp"
#include "bytecnn/model.hpp"

#include "layer_inventory.hpp"

namespace bytecnn::exporter {

struct ChainConv {
  const FoundLayer* layer = nullptr;
  const FoundLayer* batch_norm = nullptr;
  std::uint32_t filters = 0;
  std::uint32_t kernel_size = 0;
  std::uint32_t groups = 1;
  /// What the numbering of an nn.Sequential says about the batch norm's place: nothing, a position, or (with a reason)
  /// that two readings are possible.
  std::optional<BatchNormSpec::Position> position_by_numbering;
  std::string numbering_doubt;
  /// The name speaks of a residual connection, which tensors do not show.
  bool residual_by_name = false;
};

struct LayerChain {
  const FoundLayer* embedding = nullptr;
  std::uint32_t vocab_size = 0;
  std::uint32_t embed_dim = 0;
  std::vector<ChainConv> convs;
  std::vector<const FoundLayer*> dense;  ///< hidden layers
  const FoundLayer* output = nullptr;
  /// Features into the first dense layer, as a multiple (1, 2 or 3) of the last convolution's filters.
  std::uint32_t pooled_factor = 1;
};

/// What may settle an order or a meaning that names and shapes leave open.
struct ChainHints {
  const ArchitectureStatement& statement;
  std::size_t labels = 0;      ///< number of label names, 0: not given
  bool modules_known = false;  ///< a whole-model pickle: no layer is missing
  bool pooling_stated = false;
  bool search_follows = false;  ///< recorded numbers will tell whether convolutions stand in a row
};

/// Orders the layers by index, by file order, and where neither chains, by the one order in which channels fit. Throws
/// `Error` that names the tensor which does not fit and what would.
[[nodiscard]] LayerChain chain_layers(const LayerInventory& inventory, const ChainHints& hints,
                                      std::vector<std::string>& warnings);

}  // namespace bytecnn::exporter
