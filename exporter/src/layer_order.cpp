#include "layer_order.hpp"

#include <algorithm>
#include <utility>

namespace bytecnn::exporter {
namespace {

bool says_output(const FoundLayer& layer) {
  return layer.name.has_word({"output", "out", "logits", "logit", "final", "last"});
}

class ShapeSearch {
 public:
  ShapeSearch(std::vector<const FoundLayer*> layers, std::vector<std::vector<const FoundLayer*>>& found)
      : rest_(std::move(layers)), found_(found) {}

  void extend(std::int64_t channels) {
    if (found_.size() >= 2) return;
    if (rest_.empty()) {
      found_.push_back(order_);
      return;
    }
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const FoundLayer* layer = rest_[i];
      if (layer->shape()[1] != channels) continue;
      rest_.erase(rest_.begin() + static_cast<std::ptrdiff_t>(i));
      order_.push_back(layer);
      extend(layer->shape()[0]);
      order_.pop_back();
      rest_.insert(rest_.begin() + static_cast<std::ptrdiff_t>(i), layer);
    }
  }

 private:
  std::vector<const FoundLayer*> rest_, order_;
  std::vector<std::vector<const FoundLayer*>>& found_;
};

}  // namespace

std::vector<const FoundLayer*> order_by_name(std::vector<const FoundLayer*> layers) {
  const bool one_stem = std::all_of(layers.begin(), layers.end(), [&](const FoundLayer* layer) {
    return layer->name.stem == layers.front()->name.stem;
  });
  std::stable_sort(layers.begin(), layers.end(), [&](const FoundLayer* a, const FoundLayer* b) {
    if (one_stem && a->name.indices != b->name.indices) return a->name.indices < b->name.indices;
    if (!one_stem && says_output(*a) != says_output(*b)) return says_output(*b);
    return a->position < b->position;
  });
  return layers;
}

std::vector<std::vector<const FoundLayer*>> orders_by_shape(const std::vector<const FoundLayer*>& layers,
                                                            const std::vector<std::int64_t>& inputs) {
  std::vector<std::vector<const FoundLayer*>> found;
  if (layers.size() > 10) return found;
  for (const std::int64_t channels : inputs) ShapeSearch(layers, found).extend(channels);
  return found;
}

}  // namespace bytecnn::exporter
