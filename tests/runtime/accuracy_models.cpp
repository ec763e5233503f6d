#include "accuracy_models.hpp"

#include <cstdint>
#include <utility>

#include "random_model.hpp"

namespace bytecnn::testing {
namespace {

using Kind = Activation::Kind;

ConvLayer strided(ConvLayer layer, std::uint32_t stride) {
  layer.stride = stride;
  return layer;
}

ConvLayer grouped(ConvLayer layer, std::uint32_t groups) {
  layer.groups = groups;
  return layer;
}

/// Batch norm after the activation, and the layer's input added behind it.
ConvLayer residual(ConvLayer layer) {
  layer.residual = true;
  layer.batch_norm = {1e-5, BatchNormSpec::Position::after_activation};
  return layer;
}

Architecture model(std::uint32_t embed_dim, std::vector<ConvLayer> layers, Pooling pooling = Pooling::avg_max,
                   Kind dense = Kind::relu) {
  Architecture a;
  a.embed_dim = embed_dim;
  a.conv_layers = std::move(layers);
  a.pooling = pooling;
  a.dense_layers = {{48, {dense}}};
  a.outputs = 1;
  a.output = Output::sigmoid;
  a.max_len = 512;
  return a;
}

Architecture not_padded(Architecture a) {
  a.pad_token.reset();
  return a;
}

Architecture with_outputs(Architecture a, std::uint32_t outputs) {
  a.outputs = outputs;
  a.output = Output::softmax;
  return a;
}

}  // namespace

std::vector<AccuracyModel> accuracy_models() {
  return {
      {"1 layer", model(12, {conv(40, 3)})},
      {"1 layer, kernel 7, stride 2, not padded", not_padded(model(12, {strided(conv(33, 7), 2)}, Pooling::max))},
      {"1 layer, gelu", model(12, {conv(40, 3, Kind::gelu)}, Pooling::concat_avg_max, Kind::gelu)},
      {"2 layers", model(14, {conv(28, 3), conv(24, 3)})},
      {"2 layers, tanh and sigmoid",
       model(14, {conv(28, 3, Kind::tanh), conv(24, 3, Kind::sigmoid)}, Pooling::avg, Kind::tanh)},
      {"3 layers", model(14, {conv(28, 3), conv(28, 5), conv(24, 3)})},
      {"3 layers, silu, 20 outputs",
       with_outputs(model(14, {conv(24, 3, Kind::silu), conv(32, 3, Kind::silu), conv(24, 5, Kind::silu)},
                          Pooling::concat_avg_max_std, Kind::silu),
                    20)},
      {"strides and dilation",
       model(10, {strided(conv(32, 4), 2), conv(24, 3, Kind::leaky_relu, 3), strided(conv(40, 2, Kind::none), 2)})},
      {"groups", model(12, {conv(32, 3), grouped(conv(32, 3), 4), grouped(conv(40, 5, Kind::silu, 2), 8)})},
      {"depthwise, residual", model(12,
                                    {conv(33, 3), residual(grouped(conv(33, 5, Kind::relu, 2), 33)), conv(24, 1),
                                     residual(conv(24, 3, Kind::gelu))},
                                    Pooling::concat_avg_max)},
  };
}

}  // namespace bytecnn::testing
