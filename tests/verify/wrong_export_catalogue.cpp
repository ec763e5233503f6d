#include "wrong_export_catalogue.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "bytecnn/error.hpp"

#include "certificate/model_fingerprint.hpp"

namespace bytecnn::exporter::testing {
namespace {

using Position = BatchNormSpec::Position;

/// The first layer at or after a chosen one for which `fits` holds.
std::optional<std::size_t> layer_where(const Original& original, std::uint32_t seed,
                                       const std::function<bool(const ConvLayer&)>& fits) {
  const auto& layers = original.architecture.conv_layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::size_t layer = (i + seed) % layers.size();
    if (fits(layers[layer])) return layer;
  }
  return std::nullopt;
}

/// A wrong original, exported as if it were the right one. Nothing where that is no model at all, or the right one.
std::optional<Model> exported(const Original& original, const Original& mistaken) {
  try {
    validate(mistaken.architecture);
    Model model = fold(mistaken);
    validate(model);
    if (fingerprint_differences(fingerprint(fold(original)), fingerprint(model)).empty()) return std::nullopt;
    return model;
  } catch (const Error&) {
    return std::nullopt;  // an exporter that refuses has made no wrong export
  }
}

/// A mistake in one conv layer's description or weights.
Mistake in_layer(std::string name, std::function<bool(const ConvLayer&)> fits,
                 std::function<void(ConvLayer&, OriginalConv&)> spoil) {
  return {std::move(name),
          [fits = std::move(fits), spoil = std::move(spoil)](const Original& original,
                                                             std::uint32_t seed) -> std::optional<Model> {
            const auto layer = layer_where(original, seed, fits);
            if (!layer) return std::nullopt;
            Original mistaken = original;
            spoil(mistaken.architecture.conv_layers[*layer], mistaken.conv[*layer]);
            return exported(original, mistaken);
          }};
}

/// A mistake in the description of the whole.
Mistake in_architecture(std::string name, std::function<bool(Architecture&)> spoil) {
  return {std::move(name), [spoil = std::move(spoil)](const Original& original, std::uint32_t) -> std::optional<Model> {
            Original mistaken = original;
            if (!spoil(mistaken.architecture)) return std::nullopt;
            return exported(original, mistaken);
          }};
}

bool has_norm(const ConvLayer& layer) {
  return layer.batch_norm.has_value();
}
bool has_norm_before(const ConvLayer& layer) {
  return has_norm(layer) && layer.batch_norm->position == Position::before_activation;
}
bool any_layer(const ConvLayer&) {
  return true;
}

bool is_joined(Pooling pooling) {
  return pooling == Pooling::concat_avg_max || pooling == Pooling::concat_avg_max_std;
}

std::optional<Model> with_layer_dropped(const Original& original, std::uint32_t) {
  if (original.architecture.conv_layers.size() < 2) return std::nullopt;
  const auto& layers = original.architecture.conv_layers;
  // What follows must still fit: the last layer goes where it keeps the number of channels.
  if (layers.back().filters != layers[layers.size() - 2].filters) return std::nullopt;
  Original mistaken = original;
  mistaken.architecture.conv_layers.pop_back();
  mistaken.conv.pop_back();
  return exported(original, mistaken);
}

std::optional<Model> with_channels_swapped(const Original& original, std::uint32_t seed) {
  Model model = fold(original);
  auto& conv = model.weights.conv[seed % model.weights.conv.size()];
  if (conv.bias.size() < 2) return std::nullopt;
  const auto window = static_cast<std::ptrdiff_t>(conv.weight.size() / conv.bias.size());
  std::swap(conv.bias[0], conv.bias[1]);
  std::swap_ranges(conv.weight.begin(), conv.weight.begin() + window, conv.weight.begin() + window);
  return model;
}

std::optional<Model> with_embedding_rows_swapped(const Original& original, std::uint32_t seed) {
  Model model = fold(original);
  const auto width = static_cast<std::ptrdiff_t>(original.architecture.embed_dim);
  const auto row = model.weights.embedding.begin() + width * static_cast<std::ptrdiff_t>(seed % 255);
  std::swap_ranges(row, row + width, row + width);
  return model;
}

std::optional<Model> with_head_activation(const Original& original, std::uint32_t) {
  if (original.architecture.dense_layers.empty()) return std::nullopt;
  Original mistaken = original;
  mistaken.architecture.dense_layers[0].activation.kind = Activation::Kind::tanh;
  return exported(original, mistaken);
}

std::vector<Mistake> all_mistakes() {
  std::vector<Mistake> list{
      in_layer("eps 1e-5 taken for 1e-6 (1e-3 for 1e-4)", has_norm,
               [](ConvLayer& layer, OriginalConv&) { layer.batch_norm->eps /= 10; }),
      in_layer("running mean ignored", has_norm,
               [](ConvLayer&, OriginalConv& conv) {
                 std::fill(conv.batch_norm.mean.begin(), conv.batch_norm.mean.end(), 0);
               }),
      in_layer("running variance taken as deviation", has_norm,
               [](ConvLayer&, OriginalConv& conv) {
                 for (double& variance : conv.batch_norm.variance) variance *= variance;
               }),
      in_layer("batch norm dropped", has_norm, [](ConvLayer& layer, OriginalConv&) { layer.batch_norm.reset(); }),
      in_layer("batch norm's beta dropped", has_norm,
               [](ConvLayer&, OriginalConv& conv) {
                 std::fill(conv.batch_norm.beta.begin(), conv.batch_norm.beta.end(), 0);
               }),
      in_layer(
          "batch norm on the other side of the activation",
          [](const ConvLayer& layer) { return has_norm(layer) && layer.activation.kind != Activation::Kind::none; },
          [](ConvLayer& layer, OriginalConv&) {
            auto& position = layer.batch_norm->position;
            position =
                position == Position::before_activation ? Position::after_activation : Position::before_activation;
          }),
      in_layer("bias of the convolution dropped in folding", has_norm_before,
               [](ConvLayer&, OriginalConv& conv) { conv.bias.clear(); }),
      in_layer(
          "padding on the wrong side", [](const ConvLayer& layer) { return layer.pad_left != layer.pad_right; },
          [](ConvLayer& layer, OriginalConv&) { std::swap(layer.pad_left, layer.pad_right); }),
      in_layer(
          "padding left out",
          [](const ConvLayer& layer) { return layer.pad_left + layer.pad_right > 0 && !layer.residual; },
          [](ConvLayer& layer, OriginalConv&) { layer.pad_left = layer.pad_right = 0; }),
      in_layer(
          "stride ignored", [](const ConvLayer& layer) { return layer.stride > 1; },
          [](ConvLayer& layer, OriginalConv&) { layer.stride = 1; }),
      in_layer(
          "dilation ignored",
          [](const ConvLayer& layer) { return layer.dilation > 1 && layer.kernel_size > 1 && !layer.residual; },
          [](ConvLayer& layer, OriginalConv&) { layer.dilation = 1; }),
      in_layer(
          "kernel turned round", [](const ConvLayer& layer) { return layer.kernel_size > 1; },
          [](ConvLayer& layer, OriginalConv& conv) {
            const auto kernel = static_cast<std::ptrdiff_t>(layer.kernel_size);
            for (auto tap = conv.weight.begin(); tap != conv.weight.end(); tap += kernel)
              std::reverse(tap, tap + kernel);
          }),
      in_layer("another activation", any_layer,
               [](ConvLayer& layer, OriginalConv&) {
                 using Kind = Activation::Kind;
                 layer.activation.kind = layer.activation.kind == Kind::relu ? Kind::silu : Kind::relu;
               }),
      in_layer(
          "residual connection lost", [](const ConvLayer& layer) { return layer.residual; },
          [](ConvLayer& layer, OriginalConv&) { layer.residual = false; }),
      in_architecture("maximum instead of (average + maximum) / 2",
                      [](Architecture& a) { return std::exchange(a.pooling, Pooling::max) == Pooling::avg_max; }),
      in_architecture("average and maximum mixed up",
                      [](Architecture& a) {
                        if (is_joined(a.pooling) || a.pooling == Pooling::avg_max) return false;
                        a.pooling = a.pooling == Pooling::avg ? Pooling::max : Pooling::avg;
                        return true;
                      }),
      in_architecture("another max_len", [](Architecture& a) { return ++a.max_len > 0; }),
      in_architecture("another pad token",
                      [](Architecture& a) {
                        if (!a.pad_token) return false;
                        a.pad_token = *a.pad_token == 0 ? 32U : 0U;
                        return true;
                      }),
      in_architecture("not padded to max_len",
                      [](Architecture& a) { return std::exchange(a.pad_token, std::nullopt).has_value(); }),
      in_architecture(
          "softmax taken for sigmoid",
          [](Architecture& a) { return a.outputs > 1 && std::exchange(a.output, Output::sigmoid) == Output::softmax; }),
      {"last convolution lost", with_layer_dropped},
      {"two channels swapped", with_channels_swapped},
      {"two rows of the embedding swapped", with_embedding_rows_swapped},
      {"another activation in the head", with_head_activation},
  };
  for (const std::string& kind : number_kinds()) {
    list.push_back({"one " + kind + " off by 1e-3", [kind](const Original& original, std::uint32_t seed) {
                      return with_one_number_off(original, kind, 1e-3, seed);
                    }});
  }
  return list;
}

std::vector<float>* numbers_of(Model& model, const std::string& kind, std::uint32_t seed) {
  Weights& weights = model.weights;
  ConvWeights& conv = weights.conv[seed % weights.conv.size()];
  if (kind == "embedding number") return &weights.embedding;
  if (kind == "conv weight") return &conv.weight;
  if (kind == "conv bias") return &conv.bias;
  if (kind == "scale") return &conv.scale;
  if (kind == "shift") return &conv.shift;
  if (kind == "dense weight") return weights.dense.empty() ? nullptr : &weights.dense.front().weight;
  if (kind == "output weight") return &weights.output.weight;
  return &weights.output.bias;
}

}  // namespace

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> list = all_mistakes();
  return list;
}

const std::vector<std::string>& number_kinds() {
  static const std::vector<std::string> kinds{"embedding number", "conv weight",   "conv bias",  "scale", "shift",
                                              "dense weight",     "output weight", "output bias"};
  return kinds;
}

std::optional<Model> with_one_number_off(const Original& original, const std::string& kind, double size,
                                         std::uint32_t seed) {
  Model model = fold(original);
  std::vector<float>* numbers = numbers_of(model, kind, seed);
  if (numbers == nullptr || numbers->empty()) return std::nullopt;
  // One that matters: what cancelled to nearly nothing is rounding itself.
  float largest = 0;
  for (const float number : *numbers) largest = std::max(largest, std::abs(number));
  std::size_t index = (seed * 2654435761U) % numbers->size();
  while (std::abs((*numbers)[index]) < largest / 10) index = (index + 1) % numbers->size();
  float& number = (*numbers)[index];
  const auto changed = static_cast<float>(static_cast<double>(number) * (1 + size));
  if (changed == number) return std::nullopt;
  number = changed;
  return model;
}

}  // namespace bytecnn::exporter::testing
