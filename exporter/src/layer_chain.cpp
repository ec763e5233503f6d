#include "layer_chain.hpp"

#include <algorithm>
#include <utility>

#include "bytecnn/error.hpp"

#include "batch_norm_match.hpp"
#include "layer_order.hpp"

namespace bytecnn::exporter {
namespace {

using Layers = std::vector<const FoundLayer*>;

std::string list_of(const Layers& layers) {
  std::string text;
  for (const FoundLayer* layer : layers) {
    text += (text.empty() ? "" : ", ") + layer->weight->name + " " + shape_text(layer->shape());
  }
  return text.empty() ? "none" : text;
}

/// Layers whose name says that they do something else than their shape suggests.
void refuse_by_name(const FoundLayer& layer) {
  if (layer.name.has_word({"lstm", "gru", "rnn", "attn", "attention", "transformer", "shortcut", "skip", "downsample",
                           "gate", "gates", "deconv", "transpose", "transposed", "upsample", "highway", "lora"})) {
    throw Error(ErrorCode::unsupported, "the name speaks of a layer that a byte CNN of this runtime does not have",
                layer.weight->name, "embedding, convolutions, batch norms and dense layers in a row",
                shape_text(layer.shape()));
  }
}

std::uint32_t bounded(std::int64_t size, const FoundLayer& layer, std::uint32_t limit) {
  if (size > limit) {
    throw Error(ErrorCode::limit, "the layer is too large", layer.weight->name, "at most " + std::to_string(limit),
                std::to_string(size));
  }
  return static_cast<std::uint32_t>(size);
}

bool says_embedding(const FoundLayer& layer) {
  return layer.name.has_word({"embedding", "embeddings", "embed", "embeds", "emb", "embedder", "wte"});
}

/// The embedding by its name, else by its shape: [at least 256, channels of the first convolution].
const FoundLayer* find_embedding(const LayerInventory& inventory, std::int64_t conv_inputs) {
  Layers named, shaped, all;
  for (const FoundLayer& layer : inventory.matrices) {
    all.push_back(&layer);
    if (layer.name.has_word({"pos", "position", "positional", "positions", "pe"})) {
      throw Error(ErrorCode::unsupported, "embeddings of positions are not supported", layer.weight->name, {},
                  shape_text(layer.shape()));
    }
    if (says_embedding(layer)) named.push_back(&layer);
    if (layer.shape()[0] >= 256 && layer.shape()[1] == conv_inputs && layer.bias == nullptr) shaped.push_back(&layer);
  }
  const Layers& candidates = named.empty() ? shaped : named;
  if (candidates.size() > 1) {
    throw Error(
        ErrorCode::ambiguous,
        "more than one tensor may be the embedding, and this runtime has exactly one; if they are not all part of "
        "the model, save its own state_dict",
        candidates[1]->weight->name, "one embedding", list_of(candidates));
  }
  if (candidates.empty()) {
    throw Error(ErrorCode::invalid, "no embedding was found among the tensors", {},
                "a tensor [256 or more, " + std::to_string(conv_inputs) + "], e.g. 'embedding.weight'",
                "two-dimensional weights: " + list_of(all));
  }
  const FoundLayer& embedding = *candidates.front();
  if (embedding.shape()[0] < 256) {
    throw Error(ErrorCode::invalid, "the vocabulary does not hold every byte", embedding.weight->name,
                "at least 256 rows", std::to_string(embedding.shape()[0]));
  }
  if (embedding.bias != nullptr || embedding.weight_norm_g != nullptr) {
    throw Error(ErrorCode::unsupported, "an embedding has one plain tensor", embedding.weight->name, {},
                embedding.bias != nullptr ? embedding.bias->name : embedding.weight_norm_g->name);
  }
  return &embedding;
}

/// Groups that make a convolution with weight [filters, inputs, kernel] take `channels`; 0: none do.
std::int64_t groups_for(const FoundLayer& conv, std::int64_t channels) {
  const std::int64_t inputs = conv.shape()[1];
  if (channels % inputs != 0) return 0;
  const std::int64_t groups = channels / inputs;
  return conv.shape()[0] % groups == 0 ? groups : 0;
}

bool convs_chain(const Layers& convs, std::int64_t channels) {
  for (const FoundLayer* conv : convs) {
    if (groups_for(*conv, channels) == 0) return false;
    channels = conv->shape()[0];
  }
  return true;
}

Layers order_convs(const LayerInventory& inventory, std::int64_t embed_dim) {
  Layers all;
  for (const FoundLayer& layer : inventory.convolutions) all.push_back(&layer);
  Layers order = order_by_name(all);
  const bool one_stem = order.front()->name.stem == order.back()->name.stem;
  if (convs_chain(order, embed_dim) && (one_stem || inventory.file_order_counts)) return order;
  const auto fitting = orders_by_shape(all, {embed_dim});
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) {
    throw Error(ErrorCode::ambiguous,
                "the order of the convolutions follows neither from their names nor from their shapes; this container "
                "sorts its tensors: export the .pth, or number the layers (conv1, conv2, ...)",
                order.front()->weight->name, "one possible order", list_of(order));
  }
  return order;  // the caller says what does not fit
}

/// Several convolutions side by side on the embedding (kernel sizes 3, 4, 5, ...) whose poolings are joined look like a
/// chain where channels happen to fit.
void check_for_branches(const Layers& convs, const Layers& dense, std::int64_t embed_dim, const ChainHints& hints) {
  if (convs.size() < 2) return;
  std::int64_t sum = 0;
  for (const FoundLayer* conv : convs) {
    if (conv->shape()[1] != embed_dim) return;
    sum += conv->shape()[0];
  }
  const auto taker =
      std::find_if(dense.begin(), dense.end(), [&](const FoundLayer* layer) { return layer->shape()[1] == sum; });
  if (taker == dense.end()) return;
  const bool may_be_chain =
      convs_chain(convs, embed_dim) && sum % convs.back()->shape()[0] == 0 && sum / convs.back()->shape()[0] <= 3;
  const std::string found = list_of(convs) + ", then " + (*taker)->weight->name + " " + shape_text((*taker)->shape());
  if (!may_be_chain) {
    throw Error(ErrorCode::unsupported,
                "convolutions side by side on the embedding (parallel branches) are not supported",
                convs.front()->weight->name, "convolutions in a row", found);
  }
  if (!hints.pooling_stated && !hints.search_follows) {
    throw Error(ErrorCode::ambiguous,
                "the convolutions may stand in a row with a joined pooling, or side by side (which is not supported); "
                "where they stand in a row, say so with --pooling concat_avg_max or concat_avg_max_std",
                convs.front()->weight->name, "one reading", found);
  }
}

std::vector<ChainConv> read_convs(const Layers& order, std::int64_t embed_dim, const ChainHints& hints) {
  const bool one_stem = std::all_of(order.begin(), order.end(), [&](const FoundLayer* layer) {
    return layer->name.stem == order.front()->name.stem;
  });
  std::vector<ChainConv> convs;
  std::int64_t channels = embed_dim;
  std::string giver = "the embedding";
  for (const FoundLayer* layer : order) {
    const std::int64_t groups = groups_for(*layer, channels);
    if (groups == 0) {
      throw Error(ErrorCode::invalid,
                  "the convolution does not fit " + giver + ", which gives " + std::to_string(channels) + " channels",
                  layer->weight->name, "[filters, " + std::to_string(channels) + " / groups, kernel]",
                  shape_text(layer->shape()));
    }
    const bool stated = hints.statement.conv_layers && convs.size() < hints.statement.conv_layers->size() &&
                        (*hints.statement.conv_layers)[convs.size()].groups;
    if (groups > 1 && !one_stem && !stated && !hints.modules_known) {
      throw Error(
          ErrorCode::ambiguous,
          "this may be a grouped convolution, or one that does not stand in this place; state \"groups\" in the "
          "conv_layers of an --architecture file to say that it is",
          layer->weight->name, std::to_string(channels) + " input channels", shape_text(layer->shape()));
    }
    ChainConv conv;
    conv.layer = layer;
    conv.filters = bounded(layer->shape()[0], *layer, ModelLimits::max_channels);
    conv.kernel_size = bounded(layer->shape()[2], *layer, ModelLimits::max_kernel_size);
    conv.groups = static_cast<std::uint32_t>(groups);
    conv.residual_by_name = layer->name.has_word({"res", "resid", "residual", "resblock", "resblocks", "resnet"});
    convs.push_back(conv);
    channels = layer->shape()[0];
    giver = "'" + layer->path + "'";
  }
  return convs;
}

bool dense_chain(const Layers& dense, const std::vector<std::int64_t>& inputs) {
  if (dense.empty()) return true;
  if (std::find(inputs.begin(), inputs.end(), dense.front()->shape()[1]) == inputs.end()) return false;
  for (std::size_t i = 1; i < dense.size(); ++i) {
    if (dense[i]->shape()[1] != dense[i - 1]->shape()[0]) return false;
  }
  return true;
}

Layers order_dense(const LayerInventory& inventory, const FoundLayer* embedding, std::int64_t filters) {
  Layers all;
  for (const FoundLayer& layer : inventory.matrices) {
    if (&layer != embedding) all.push_back(&layer);
  }
  if (all.empty()) {
    throw Error(ErrorCode::invalid, "no output layer was found: there is no dense layer among the tensors", {},
                "a tensor [outputs, " + std::to_string(filters) + "], e.g. 'output.weight'", "none");
  }
  const std::vector<std::int64_t> inputs{filters, 2 * filters, 3 * filters};
  Layers order = order_by_name(all);
  if (dense_chain(order, inputs)) return order;
  const auto fitting = orders_by_shape(all, inputs);
  if (fitting.size() == 1) return fitting.front();
  if (fitting.size() > 1) {
    throw Error(
        ErrorCode::ambiguous,
        "the order of the dense layers follows neither from their names nor from their shapes; number them (fc1, "
        "fc2, ...) before saving",
        order.front()->weight->name, "one possible order", list_of(order));
  }
  // Say which one does not fit in the most plausible order.
  std::int64_t features = 0;
  for (const FoundLayer* layer : order) {
    const std::int64_t takes = layer->shape()[1];
    const bool fits =
        features == 0 ? std::find(inputs.begin(), inputs.end(), takes) != inputs.end() : takes == features;
    if (!fits) {
      const std::string expected =
          features == 0 ? std::to_string(filters) + " inputs (or twice or three times as many, for a joined pooling)"
                        : std::to_string(features) + " inputs";
      const bool flattened = features == 0 && takes > 3 * filters && takes % filters == 0;
      throw Error(flattened ? ErrorCode::unsupported : ErrorCode::invalid,
                  flattened ? "the dense layer takes a flattened feature map of " + std::to_string(takes / filters) +
                                  " positions; only global pooling is supported"
                            : "the dense layer does not fit what comes before it",
                  layer->weight->name, expected, shape_text(layer->shape()));
    }
    features = layer->shape()[0];
  }
  return order;
}

/// One dense layer called "classifier" or "fc1" may be the hidden layer of a head whose output layer is missing.
void check_lone_dense(const FoundLayer& layer, const ChainHints& hints) {
  const std::int64_t units = layer.shape()[0];
  const bool settled = hints.modules_known || units == 1 || hints.statement.outputs || hints.statement.dense_layers ||
                       static_cast<std::int64_t>(hints.labels) == units;
  const bool first_of_many = layer.name.has_word({"classifier", "dense", "fc", "linear", "lin"}) && !layer.name.place &&
                             layer.name.indices == std::vector<std::uint64_t>{1};
  const bool hidden = layer.name.has_word({"hidden"}) ||
                      (layer.name.stem == "classifier" && layer.name.indices.empty()) || first_of_many;
  if (settled || !hidden) return;
  throw Error(
      ErrorCode::ambiguous,
      "there is one dense layer, and its name is that of a hidden layer: is the output layer missing? Where it is "
      "the output layer, state {\"outputs\": " +
          std::to_string(units) +
          "} in an --architecture file, or name "
          "the " +
          std::to_string(units) + " labels with --labels",
      layer.weight->name, "a hidden and an output layer", shape_text(layer.shape()));
}

}  // namespace

LayerChain chain_layers(const LayerInventory& inventory, const ChainHints& hints, std::vector<std::string>& warnings) {
  for (const FoundLayer& layer : inventory.matrices) refuse_by_name(layer);
  for (const FoundLayer& layer : inventory.convolutions) refuse_by_name(layer);
  if (inventory.convolutions.empty()) {
    throw Error(ErrorCode::unsupported, "there is no Conv1d (three-dimensional weight) among the tensors", {},
                "at least one, e.g. 'conv1.weight' [filters, channels, kernel]", "none");
  }
  if (inventory.convolutions.size() > ModelLimits::max_layers || inventory.matrices.size() > ModelLimits::max_layers) {
    throw Error(ErrorCode::limit, "there are too many layers", {},
                "at most " + std::to_string(ModelLimits::max_layers));
  }

  LayerChain chain;
  Layers all_convs;
  for (const FoundLayer& layer : inventory.convolutions) all_convs.push_back(&layer);
  chain.embedding = find_embedding(inventory, order_by_name(all_convs).front()->shape()[1]);
  chain.vocab_size = bounded(chain.embedding->shape()[0], *chain.embedding, ModelLimits::max_vocab_size);
  chain.embed_dim = bounded(chain.embedding->shape()[1], *chain.embedding, ModelLimits::max_channels);

  Layers all_dense;
  for (const FoundLayer& layer : inventory.matrices) {
    if (&layer != chain.embedding) all_dense.push_back(&layer);
  }
  const Layers convs = order_convs(inventory, chain.embed_dim);
  check_for_branches(convs, all_dense, chain.embed_dim, hints);
  chain.convs = read_convs(convs, chain.embed_dim, hints);
  std::vector<std::string> numbering_warnings;
  match_batch_norms(inventory, all_dense, chain.convs, numbering_warnings);
  // The modules themselves say what stands between the layers; numbers are for those who have nothing better.
  if (!hints.modules_known) warnings.insert(warnings.end(), numbering_warnings.begin(), numbering_warnings.end());

  Layers dense = order_dense(inventory, chain.embedding, chain.convs.back().filters);
  for (const FoundLayer* layer : dense) bounded(layer->shape()[0], *layer, ModelLimits::max_channels);
  chain.pooled_factor = static_cast<std::uint32_t>(dense.front()->shape()[1] / chain.convs.back().filters);
  if (dense.size() == 1) check_lone_dense(*dense.front(), hints);
  chain.output = dense.back();
  dense.pop_back();
  chain.dense = std::move(dense);
  return chain;
}

}  // namespace bytecnn::exporter
