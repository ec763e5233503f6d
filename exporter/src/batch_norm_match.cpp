#include "batch_norm_match.hpp"

#include <algorithm>
#include <optional>

#include "bytecnn/error.hpp"

#include "layer_order.hpp"

namespace bytecnn::exporter {
namespace {

using Layers = std::vector<const FoundLayer*>;

bool same_sequence(const FoundLayer& a, const FoundLayer& b) {
  return a.name.place && b.name.place && a.name.parent == b.name.parent;
}

std::int64_t length_of(const FoundLayer& batch_norm) {
  const auto& shape = batch_norm.running_mean->tensor.shape;
  return shape.size() == 1 ? shape[0] : -1;
}

/// The head's and the embedding's own batch norms are nothing the runtime runs.
void refuse_foreign(const FoundLayer& batch_norm, const Layers& dense, const std::vector<ChainConv>& convs) {
  const bool beside_conv = std::any_of(convs.begin(), convs.end(),
                                       [&](const ChainConv& conv) { return same_sequence(*conv.layer, batch_norm); });
  const bool beside_dense = std::any_of(dense.begin(), dense.end(),
                                        [&](const FoundLayer* layer) { return same_sequence(*layer, batch_norm); });
  const bool foreign_name = batch_norm.name.has_word(
      {"fc", "dense", "head", "classifier", "linear", "mlp", "output", "out", "embedding", "embed", "emb", "input"});
  if ((beside_dense || foreign_name) && !beside_conv) {
    throw Error(ErrorCode::unsupported, "only batch norms of convolutions are supported", batch_norm.running_mean->name,
                "one batch norm behind each convolution", "one at the embedding or in the head");
  }
}

[[noreturn]] void refuse_unmatched(const FoundLayer& batch_norm, const std::vector<ChainConv>& convs, ErrorCode code) {
  std::string names;
  for (const ChainConv& conv : convs) {
    names += (names.empty() ? "" : ", ") + conv.layer->path + " (" + std::to_string(conv.filters) + ")";
  }
  throw Error(
      code,
      code == ErrorCode::ambiguous
          ? "it cannot be told which convolution this batch norm follows; name it like its convolution (conv2, bn2)"
          : "this batch norm belongs to no convolution",
      batch_norm.running_mean->name, "one of " + names, std::to_string(length_of(batch_norm)) + " channels");
}

void attach(const FoundLayer& batch_norm, ChainConv& conv, const std::vector<ChainConv>& convs) {
  if (conv.batch_norm != nullptr) refuse_unmatched(batch_norm, convs, ErrorCode::unsupported);
  conv.batch_norm = &batch_norm;
}

/// What an nn.Sequential's numbers tell: features.0 conv, .1 norm, .2 activation, or .0 conv, .1 activation, .2 norm.
void read_numbering(ChainConv& conv, const std::vector<ChainConv>& convs, std::vector<std::string>& warnings) {
  const std::uint64_t place = *conv.layer->name.place;
  const std::uint64_t norm =
      conv.batch_norm != nullptr && same_sequence(*conv.layer, *conv.batch_norm) ? *conv.batch_norm->name.place : place;
  std::optional<std::uint64_t> next;
  for (const ChainConv& other : convs) {
    if (!same_sequence(*conv.layer, *other.layer) || *other.layer->name.place <= norm) continue;
    next = std::min(next.value_or(UINT64_MAX), *other.layer->name.place);
  }
  const std::uint64_t behind = next ? *next - norm - 1 : 0;  // modules without tensors up to the next convolution
  const bool before_norm = norm > place + 1;                 // something stands between convolution and batch norm
  if (norm > place) {
    if (before_norm && next && behind > 0) {
      conv.numbering_doubt = "weightless modules stand both before and behind it in '" + conv.layer->name.parent + "'";
    } else if (before_norm) {
      conv.position_by_numbering = BatchNormSpec::Position::after_activation;
    } else if (!next || behind > 0) {
      conv.position_by_numbering = BatchNormSpec::Position::before_activation;
    }
  }
  const std::uint64_t weightless = behind + (before_norm ? norm - place - 1 : 0);
  if (next && weightless > 1) {
    warnings.push_back("'" + conv.layer->name.parent + "' has " + std::to_string(weightless) +
                       " modules without weights behind " + conv.layer->path +
                       ": taken for an activation and dropout; a pooling layer there would be lost");
  }
}

}  // namespace

void match_batch_norms(const LayerInventory& inventory, const Layers& dense, std::vector<ChainConv>& convs,
                       std::vector<std::string>& warnings) {
  Layers rest;
  for (const FoundLayer& batch_norm : inventory.batch_norms) {
    refuse_foreign(batch_norm, dense, convs);
    ChainConv* nearest = nullptr;
    for (ChainConv& conv : convs) {
      if (!same_sequence(*conv.layer, batch_norm) || *conv.layer->name.place > *batch_norm.name.place) continue;
      if (nearest == nullptr || *conv.layer->name.place > *nearest->layer->name.place) nearest = &conv;
    }
    if (nearest != nullptr) {
      attach(batch_norm, *nearest, convs);
    } else {
      rest.push_back(&batch_norm);
    }
  }

  if (!rest.empty()) {
    rest = order_by_name(rest);
    const auto with_indices = [&](const FoundLayer& batch_norm) {
      return std::find_if(convs.begin(), convs.end(), [&](const ChainConv& conv) {
        return conv.batch_norm == nullptr && conv.layer->name.indices == batch_norm.name.indices;
      });
    };
    const bool by_index = std::all_of(rest.begin(), rest.end(),
                                      [&](const FoundLayer* norm) { return with_indices(*norm) != convs.end(); });
    const auto free_convs = static_cast<std::size_t>(
        std::count_if(convs.begin(), convs.end(), [](const ChainConv& conv) { return conv.batch_norm == nullptr; }));
    if (rest.size() > free_convs) {
      const auto odd = std::find_if(rest.begin(), rest.end(),
                                    [&](const FoundLayer* norm) { return with_indices(*norm) == convs.end(); });
      refuse_unmatched(odd == rest.end() ? *rest.back() : **odd, convs, ErrorCode::unsupported);
    }
    for (const FoundLayer* batch_norm : rest) {
      auto conv = convs.end();
      if (by_index) {
        conv = with_indices(*batch_norm);
      } else if (rest.size() == convs.size()) {
        conv = std::find_if(convs.begin(), convs.end(), [](const ChainConv& c) { return c.batch_norm == nullptr; });
      } else {
        const auto fits = [&](const ChainConv& c) {
          return c.batch_norm == nullptr && static_cast<std::int64_t>(c.filters) == length_of(*batch_norm);
        };
        if (std::count_if(convs.begin(), convs.end(), fits) == 1) conv = std::find_if(convs.begin(), convs.end(), fits);
      }
      if (conv == convs.end()) refuse_unmatched(*batch_norm, convs, ErrorCode::ambiguous);
      attach(*batch_norm, *conv, convs);
    }
  }
  for (ChainConv& conv : convs) {
    if (conv.layer->name.place) read_numbering(conv, convs, warnings);
  }
}

}  // namespace bytecnn::exporter
