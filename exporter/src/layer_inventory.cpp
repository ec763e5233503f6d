#include "layer_inventory.hpp"

#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {
namespace {

enum class Leaf { weight, weight_g, weight_v, bias, running_mean, running_var, counter };

struct LeafName {
  std::string_view text;
  Leaf leaf;
};

/// Longer endings first: "parametrizations.weight.original0" ends in neither of the others, but "running_mean" must be
/// seen before a layer that happens to be called "running".
constexpr std::array leaf_names{
    LeafName{"parametrizations.weight.original0", Leaf::weight_g},
    LeafName{"parametrizations.weight.original1", Leaf::weight_v},
    LeafName{"num_batches_tracked", Leaf::counter},
    LeafName{"running_mean", Leaf::running_mean},
    LeafName{"running_var", Leaf::running_var},
    LeafName{"weight_g", Leaf::weight_g},
    LeafName{"weight_v", Leaf::weight_v},
    LeafName{"weight", Leaf::weight},
    LeafName{"bias", Leaf::bias},
};

struct SplitName {
  std::string path;
  Leaf leaf = Leaf::weight;
};

/// "conv1.weight" -> ("conv1", weight). Without any dot the layer and its tensor may be joined by an underscore, as in
/// dictionaries written by hand ("conv1_weight").
std::optional<SplitName> split_name(std::string_view name) {
  for (const LeafName& candidate : leaf_names) {
    if (!name.ends_with(candidate.text)) continue;
    const std::string_view rest = name.substr(0, name.size() - candidate.text.size());
    if (rest.empty()) return SplitName{{}, candidate.leaf};
    const bool joined = rest.back() == '_' && name.find('.') == std::string_view::npos;
    if (rest.back() != '.' && !joined) continue;
    return SplitName{std::string(rest.substr(0, rest.size() - 1)), candidate.leaf};
  }
  return std::nullopt;
}

[[noreturn]] void not_understood(const NamedTensor& entry) {
  throw Error(
      ErrorCode::unsupported,
      "this tensor belongs to no layer of a byte CNN (embedding, Conv1d, BatchNorm1d, Linear), so the model cannot "
      "be exported without losing it",
      entry.name, "a name ending in weight, bias, running_mean, running_var or num_batches_tracked",
      "shape " + shape_text(entry.tensor.shape));
}

void check_tensor(const NamedTensor& entry) {
  if (!entry.unreadable.empty()) throw Error(ErrorCode::unsupported, entry.unreadable, entry.name);
  if (!is_floating(entry.tensor.dtype)) {
    throw Error(ErrorCode::invalid, "weights must be floating-point numbers", entry.name,
                "float16, bfloat16, float32 or float64", std::string(to_string(entry.tensor.dtype)));
  }
  for (const std::int64_t size : entry.tensor.shape) {
    if (size <= 0) {
      throw Error(ErrorCode::invalid, "the tensor is empty", entry.name, "sizes of at least 1",
                  shape_text(entry.tensor.shape));
    }
  }
}

void put(FoundLayer& layer, const NamedTensor*& slot, const NamedTensor& entry) {
  if (slot != nullptr) {
    throw Error(ErrorCode::invalid, "two tensors stand for the same thing in layer '" + layer.path + "'", entry.name,
                {}, "also '" + slot->name + "'");
  }
  slot = &entry;
}

/// A weight with one dimension and no running statistics.
[[noreturn]] void refuse_vector(const FoundLayer& layer) {
  throw Error(
      ErrorCode::unsupported,
      "a one-dimensional weight without running statistics (a LayerNorm, a GroupNorm, a PReLU, or a BatchNorm1d "
      "with track_running_stats=False) is nothing this runtime runs",
      layer.weight->name, "a batch norm with running_mean and running_var", "shape " + shape_text(layer.shape()));
}

/// Puts a complete layer where its shape says it belongs.
void classify(FoundLayer&& layer, LayerInventory& inventory) {
  if (layer.running_mean != nullptr || layer.running_var != nullptr) {
    const NamedTensor* present = layer.running_mean != nullptr ? layer.running_mean : layer.running_var;
    if (layer.running_mean == nullptr || layer.running_var == nullptr) {
      throw Error(ErrorCode::invalid, "the batch norm '" + layer.path + "' is incomplete", present->name,
                  "running_mean and running_var", layer.running_mean == nullptr ? "no running_mean" : "no running_var");
    }
    if (layer.weight_norm_g != nullptr) not_understood(*layer.weight_norm_g);
    inventory.batch_norms.push_back(std::move(layer));
    return;
  }
  if (layer.weight == nullptr) {
    const NamedTensor& lone = layer.weight_norm_g != nullptr ? *layer.weight_norm_g : *layer.bias;
    throw Error(ErrorCode::invalid, "layer '" + layer.path + "' has no weight", lone.name);
  }
  const std::size_t rank = layer.shape().size();
  if (rank <= 1) refuse_vector(layer);
  if (rank == 4) {
    throw Error(ErrorCode::unsupported, "a Conv2d (four-dimensional weight) is not supported", layer.weight->name,
                "Conv1d: [filters, channels, kernel]", shape_text(layer.shape()));
  }
  if (rank > 4) not_understood(*layer.weight);
  (rank == 2 ? inventory.matrices : inventory.convolutions).push_back(std::move(layer));
}

void check_weight_norm(const FoundLayer& layer) {
  const auto& direction = layer.shape();
  const auto& magnitude = layer.weight_norm_g->tensor.shape;
  bool fits = magnitude.size() == direction.size();
  for (std::size_t i = 0; fits && i < magnitude.size(); ++i) fits = magnitude[i] == (i == 0 ? direction[0] : 1);
  if (!fits) {
    std::vector<std::int64_t> expected(direction.size(), 1);
    expected[0] = direction[0];
    throw Error(ErrorCode::unsupported, "weight norm is read over dimension 0 alone (torch's default)",
                layer.weight_norm_g->name, shape_text(expected), shape_text(magnitude));
  }
}

std::vector<double> finite_values(const NamedTensor& entry) {
  std::vector<double> values = entry.tensor.to_doubles();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      throw Error(ErrorCode::invalid, "the tensor holds a number that is not finite", entry.name, "finite numbers",
                  (std::isnan(values[i]) ? "nan"
                   : values[i] > 0       ? "inf"
                                         : "-inf") +
                      std::string(" at element ") + std::to_string(i));
    }
  }
  return values;
}

}  // namespace

const std::vector<std::int64_t>& FoundLayer::shape() const {
  static const std::vector<std::int64_t> none;
  return weight != nullptr ? weight->tensor.shape : none;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

LayerInventory take_inventory(const Checkpoint& checkpoint) {
  LayerInventory inventory;
  inventory.file_order_counts = checkpoint.container != "safetensors";
  std::vector<FoundLayer> layers;
  std::map<std::string, std::size_t, std::less<>> by_path;
  for (std::size_t position = 0; position < checkpoint.tensors.size(); ++position) {
    const NamedTensor& entry = checkpoint.tensors[position];
    std::optional<SplitName> split = split_name(entry.name);
    if (split && split->leaf == Leaf::counter) continue;
    check_tensor(entry);
    if (!split) {
      // A bare parameter: only an embedding is plausible, and only its name and shape can say so.
      if (entry.tensor.shape.size() != 2 ||
          !parse_layer_name(entry.name).has_word({"embedding", "embeddings", "embed", "emb"})) {
        not_understood(entry);
      }
      split = SplitName{entry.name, Leaf::weight};
    }
    const auto [found, is_new] = by_path.emplace(split->path, layers.size());
    if (is_new) {
      layers.push_back({.path = split->path, .name = parse_layer_name(split->path), .position = position});
    }
    FoundLayer& layer = layers[found->second];
    switch (split->leaf) {
      case Leaf::weight:
      case Leaf::weight_v:
        put(layer, layer.weight, entry);
        break;
      case Leaf::weight_g:
        put(layer, layer.weight_norm_g, entry);
        break;
      case Leaf::bias:
        put(layer, layer.bias, entry);
        break;
      case Leaf::running_mean:
        put(layer, layer.running_mean, entry);
        break;
      case Leaf::running_var:
        put(layer, layer.running_var, entry);
        break;
      case Leaf::counter:
        break;
    }
    if (split->leaf != Leaf::running_mean && split->leaf != Leaf::running_var) {
      inventory.parameters += entry.tensor.elements();
    }
  }
  for (FoundLayer& layer : layers) {
    const bool direction_alone = layer.weight != nullptr && layer.weight_norm_g == nullptr &&
                                 split_name(layer.weight->name).value_or(SplitName{}).leaf == Leaf::weight_v;
    const bool weight_beside_magnitude = layer.weight != nullptr && layer.weight_norm_g != nullptr &&
                                         split_name(layer.weight->name).value_or(SplitName{}).leaf == Leaf::weight;
    if (direction_alone || weight_beside_magnitude) {
      throw Error(ErrorCode::invalid, "half a weight norm: layer '" + layer.path + "' needs magnitude and direction",
                  layer.weight->name);
    }
    if (layer.weight != nullptr && layer.weight_norm_g != nullptr) check_weight_norm(layer);
    classify(std::move(layer), inventory);
  }
  return inventory;
}

std::vector<double> layer_weight(const FoundLayer& layer) {
  std::vector<double> values = finite_values(*layer.weight);
  if (layer.weight_norm_g == nullptr) return values;
  const std::vector<double> magnitude = finite_values(*layer.weight_norm_g);
  const std::size_t row = values.size() / magnitude.size();
  for (std::size_t filter = 0; filter < magnitude.size(); ++filter) {
    double* const direction = values.data() + filter * row;
    double squares = 0;
    for (std::size_t i = 0; i < row; ++i) squares += direction[i] * direction[i];
    const double norm = std::sqrt(squares);
    if (!(norm > 0)) {
      throw Error(ErrorCode::invalid, "weight norm of a direction of length zero", layer.weight->name, {},
                  "filter " + std::to_string(filter));
    }
    for (std::size_t i = 0; i < row; ++i) direction[i] *= magnitude[filter] / norm;
  }
  return values;
}

std::vector<double> layer_vector(const NamedTensor& tensor, std::size_t length) {
  const auto& shape = tensor.tensor.shape;
  if (shape.size() != 1 || static_cast<std::uint64_t>(shape[0]) != length) {
    throw Error(ErrorCode::invalid, "the tensor does not fit its layer", tensor.name,
                "[" + std::to_string(length) + "]", shape_text(shape));
  }
  return finite_values(tensor);
}

}  // namespace bytecnn::exporter
