#include "search/structure_walk.hpp"

#include <utility>

namespace bytecnn::exporter {
namespace {

using Position = BatchNormSpec::Position;

void set_geometry(const Geometry& geometry, ConvLayer& layer) {
  layer.stride = geometry.stride;
  layer.dilation = geometry.dilation;
  layer.pad_left = geometry.left;
  layer.pad_right = geometry.right;
}

/// Whether a block gives as many columns as it takes, whatever the length.
bool keeps_length(const ConvLayer& layer) {
  return layer.stride == 1 && layer.pad_left + layer.pad_right == layer.reach();
}

}  // namespace

void StructureWalk::run(std::size_t form, std::size_t geometry, PriceRange range) {
  range_ = range;
  const Priced<InputForm>& input = space_.inputs[form];
  const Priced<Geometry>& first = space_.layers.front().geometries[geometry];
  if (!affordable(input.price + first.price)) return;
  structure_.max_len = input.value.max_len;
  structure_.pad_token = input.value.pad_token;
  chosen_.clear();
  with_geometry(0, first, embed(original_, structure_, input_), input.price + first.price);
}

void StructureWalk::layer(std::size_t index, const Columns& input, unsigned price) {
  if (index == space_.layers.size()) return pooled(input, price);
  for (const Priced<Geometry>& geometry : space_.layers[index].geometries) {
    const unsigned more = price_of(geometry, chosen_.empty() ? nullptr : &chosen_.back());
    if (affordable(price + more)) with_geometry(index, geometry, input, price + more);
  }
}

void StructureWalk::with_geometry(std::size_t index, const Priced<Geometry>& geometry, const Columns& input,
                                  unsigned price) {
  if (stopped_()) return;
  ConvLayer& layer = structure_.conv_layers[index];
  set_geometry(geometry.value, layer);
  if (layer.output_length(input.positions) == 0) return;
  chosen_.push_back(geometry.value);
  with_norm(index, convolve(layer, original_.conv[index], input), input, price);
  chosen_.pop_back();
}

void StructureWalk::with_norm(std::size_t index, const Columns& sums, const Columns& input, unsigned price) {
  const LayerSpace& space = space_.layers[index];
  ConvLayer& layer = structure_.conv_layers[index];
  const Activation* const above = index == 0 ? nullptr : &structure_.conv_layers[index - 1].activation;
  const auto activated = [&](const Columns& columns, unsigned so_far, auto&& next) {
    for (const Priced<Activation>& activation : space.activations) {
      const unsigned more = price_of(activation, above);
      if (!affordable(so_far + more)) continue;
      layer.activation = activation.value;
      Columns result = columns;
      activate(activation.value, result.values);
      next(std::move(result), so_far + more);
    }
  };
  if (space.norms.empty()) {
    return activated(sums, price, [&](Columns result, unsigned so_far) {
      after_activation(index, std::move(result), input, so_far);
    });
  }
  const OriginalBatchNorm& batch_norm = original_.conv[index].batch_norm;
  const BatchNormSpec* norm_above = nullptr;
  for (std::size_t i = index; i > 0 && norm_above == nullptr; --i) {
    if (structure_.conv_layers[i - 1].batch_norm) norm_above = &*structure_.conv_layers[i - 1].batch_norm;
  }
  // Batch norm before the activation: one normalised copy an epsilon.
  for (const Priced<BatchNormSpec>& norm : space.norms) {
    const unsigned so_far = price + price_of(norm, norm_above);
    if (norm.value.position != Position::before_activation || !affordable(so_far)) continue;
    layer.batch_norm = norm.value;
    Columns normalised = sums;
    normalise(batch_norm, norm.value.eps, normalised);
    activated(normalised, so_far, [&](Columns result, unsigned all) {
      layer.batch_norm = norm.value;
      after_activation(index, std::move(result), input, all);
    });
  }
  // Behind it: one activated copy, normalised an epsilon.
  activated(sums, price, [&](const Columns& result, unsigned so_far) {
    for (const Priced<BatchNormSpec>& norm : space.norms) {
      const unsigned all = so_far + price_of(norm, norm_above);
      if (norm.value.position != Position::after_activation || !affordable(all)) continue;
      layer.batch_norm = norm.value;
      Columns normalised = result;
      normalise(batch_norm, norm.value.eps, normalised);
      after_activation(index, std::move(normalised), input, all);
    }
  });
}

void StructureWalk::after_activation(std::size_t index, Columns columns, const Columns& input, unsigned price) {
  ConvLayer& layer = structure_.conv_layers[index];
  for (const Priced<bool>& residual : space_.layers[index].residual) {
    if (!affordable(price + residual.price) || (residual.value && !keeps_length(layer))) continue;
    layer.residual = residual.value;
    if (residual.value) add_residual(input, columns);  // the last choice, so nobody needs the plain columns any more
    this->layer(index + 1, columns, price + residual.price);
  }
}

void StructureWalk::pooled(const Columns& columns, unsigned price) {
  if (stopped_()) return;
  const PooledStatistics statistics = pooled_statistics(columns);
  for (const Pooling pooling : space_.poolings) {
    if (columns.positions < minimum_pooled_positions(pooling)) continue;
    structure_.pooling = pooling;
    dense(0, pooled_features(pooling, statistics), price);
  }
}

void StructureWalk::dense(std::size_t index, const std::vector<double>& features, unsigned price) {
  if (index == space_.dense.size()) {
    if (range_.holds(price)) visit_(structure_, price, dense_sums(original_.output, features));
    return;
  }
  const std::vector<double> sums = dense_sums(original_.dense[index], features);
  const Activation* const above = index == 0 ? nullptr : &structure_.dense_layers[index - 1].activation;
  for (const Priced<Activation>& activation : space_.dense[index]) {
    const unsigned so_far = price + price_of(activation, above);
    if (!affordable(so_far)) continue;
    structure_.dense_layers[index].activation = activation.value;
    std::vector<double> activated = sums;
    activate(activation.value, activated);
    dense(index + 1, activated, so_far);
  }
}

}  // namespace bytecnn::exporter
