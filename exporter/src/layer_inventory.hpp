#pragma once
/// The tensors of a checkpoint, grouped into layers by name and told apart by shape.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "layer_names.hpp"

namespace bytecnn::exporter {

/// A layer with its tensors. The pointers point into the checkpoint, which must outlive the inventory.
struct FoundLayer {
  std::string path;  ///< "features.0"
  LayerName name;
  std::size_t position = 0;  ///< of its first tensor in the file
  const NamedTensor* weight = nullptr;
  const NamedTensor* weight_norm_g = nullptr;  ///< magnitude; `weight` is then the direction
  const NamedTensor* bias = nullptr;
  const NamedTensor* running_mean = nullptr;
  const NamedTensor* running_var = nullptr;

  /// Shape of the weight, [] where there is none.
  [[nodiscard]] const std::vector<std::int64_t>& shape() const;
};

struct LayerInventory {
  std::vector<FoundLayer> matrices;      ///< two-dimensional weights: embeddings and dense layers
  std::vector<FoundLayer> convolutions;  ///< three-dimensional weights
  std::vector<FoundLayer> batch_norms;   ///< layers with running statistics
  /// False where the container sorts its tensors (safetensors), so that their order says nothing.
  bool file_order_counts = true;
  std::uint64_t parameters = 0;  ///< learned numbers: all but running statistics and counters
};

/// Groups every tensor of `checkpoint`, in file order. Throws `Error` for tensors that no layer of a byte CNN has:
/// other names, other ranks, types that are no floating point, zero sizes, layers with half of their tensors.
[[nodiscard]] LayerInventory take_inventory(const Checkpoint& checkpoint);

/// "[40, 12, 3]"
[[nodiscard]] std::string shape_text(const std::vector<std::int64_t>& shape);

/// All elements in double; weight norm (w = g v / ||v||, over all but the first dimension) is resolved. Throws `Error`
/// (invalid) naming the tensor and the first element that is not finite.
[[nodiscard]] std::vector<double> layer_weight(const FoundLayer& layer);
/// Elements of a vector tensor; Throws `Error` where its length is not `length` or a number is not finite.
[[nodiscard]] std::vector<double> layer_vector(const NamedTensor& tensor, std::size_t length);

}  // namespace bytecnn::exporter
