#include "search/neighbours.hpp"

#include <functional>
#include <utility>

namespace bytecnn::exporter {
namespace {

/// One property set to another value.
struct Change {
  std::size_t property = 0;  ///< two changes of one property make one
  unsigned price = 0;
  std::function<void(Architecture&)> apply;
};

std::vector<Change> changes(const SearchSpace& space) {
  std::vector<Change> all;
  std::size_t property = 0;
  const auto add = [&](unsigned price, std::function<void(Architecture&)> apply) {
    all.push_back({property, price, std::move(apply)});
  };
  for (const auto& form : space.inputs) {
    add(form.price, [value = form.value](Architecture& a) {
      a.max_len = value.max_len;
      a.pad_token = value.pad_token;
    });
  }
  for (std::size_t i = 0; i < space.layers.size(); ++i) {
    const LayerSpace& layer = space.layers[i];
    ++property;
    for (const auto& geometry : layer.geometries) {
      add(geometry.price, [i, value = geometry.value](Architecture& a) {
        ConvLayer& conv = a.conv_layers[i];
        conv.stride = value.stride;
        conv.dilation = value.dilation;
        conv.pad_left = value.left;
        conv.pad_right = value.right;
      });
    }
    ++property;
    for (const auto& norm : layer.norms) {
      add(norm.price, [i, value = norm.value](Architecture& a) { a.conv_layers[i].batch_norm = value; });
    }
    ++property;
    for (const auto& activation : layer.activations) {
      add(activation.price, [i, value = activation.value](Architecture& a) { a.conv_layers[i].activation = value; });
    }
    ++property;
    for (const auto& residual : layer.residual) {
      add(residual.price, [i, value = residual.value](Architecture& a) { a.conv_layers[i].residual = value; });
    }
  }
  ++property;
  for (const Pooling pooling : space.poolings) add(0, [pooling](Architecture& a) { a.pooling = pooling; });
  for (std::size_t i = 0; i < space.dense.size(); ++i) {
    ++property;
    for (const auto& activation : space.dense[i]) {
      add(activation.price, [i, value = activation.value](Architecture& a) { a.dense_layers[i].activation = value; });
    }
  }
  return all;
}

/// Whether every layer can be run; a residual block must keep its length.
bool sound(const Architecture& architecture) {
  for (const ConvLayer& layer : architecture.conv_layers) {
    if (layer.residual && (layer.stride != 1 || layer.pad_left + layer.pad_right != layer.reach())) return false;
  }
  return true;
}

}  // namespace

std::vector<PricedArchitecture> neighbours(const SearchSpace& space, const Architecture& centre) {
  constexpr std::size_t most = 50'000;
  const std::vector<Change> all = changes(space);
  std::vector<PricedArchitecture> found;
  const auto keep = [&](const Architecture& architecture, unsigned price) {
    if (!(architecture == centre) && sound(architecture)) found.push_back({architecture, price});
  };
  for (const Change& change : all) {
    Architecture changed = centre;
    change.apply(changed);
    keep(changed, change.price);
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    Architecture once = centre;
    all[i].apply(once);
    if (once == centre) continue;
    for (std::size_t j = i + 1; j < all.size() && found.size() < most; ++j) {
      if (all[j].property == all[i].property) continue;
      Architecture twice = once;
      all[j].apply(twice);
      if (!(twice == once)) keep(twice, all[i].price + all[j].price);
    }
  }
  return found;
}

}  // namespace bytecnn::exporter
