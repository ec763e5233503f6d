#include "verify/layer_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

namespace bytecnn::exporter {
namespace {

using Layers = std::vector<std::vector<double>>;

std::string layer_name(const Architecture& architecture, std::size_t layer) {
  const std::size_t convs = architecture.conv_layers.size();
  const std::size_t denses = architecture.dense_layers.size();
  if (layer < convs) return "conv" + std::to_string(layer + 1);
  if (layer == convs) return "the pooling";
  if (layer <= convs + denses) {
    return denses == 1 ? std::string("the dense layer") : "dense layer " + std::to_string(layer - convs);
  }
  return "the output layer";
}

struct LayerDifference {
  double worst = 0;
  double scale = 1;  ///< the largest value on either side, at least 1
  std::size_t place = 0;
  std::vector<bool> channels;  ///< which differ
};

LayerDifference compare(const std::vector<double>& original, const std::vector<double>& exported, std::size_t channels,
                        double tolerance) {
  LayerDifference result;
  for (std::size_t i = 0; i < original.size(); ++i) {
    result.scale = std::max({result.scale, std::abs(original[i]), std::abs(exported[i])});
    const double difference = std::abs(original[i] - exported[i]);
    if (!(difference <= result.worst)) {
      result.worst = difference;
      result.place = i;
    }
  }
  const std::size_t positions = std::max<std::size_t>(1, original.size() / std::max<std::size_t>(channels, 1));
  result.channels.assign(channels, false);
  for (std::size_t i = 0; i < original.size(); ++i) {
    if (!(std::abs(original[i] - exported[i]) <= tolerance * result.scale)) {
      result.channels[std::min(i / positions, channels - 1)] = true;
    }
  }
  return result;
}

std::string describe(const std::string& name, const LayerDifference& difference, std::size_t positions, double original,
                     double exported) {
  std::ostringstream text;
  text.precision(9);
  text << name << " differs first: ";
  if (positions > 1) {
    text << "channel " << difference.place / positions << ", position " << difference.place % positions;
  } else {
    text << "feature " << difference.place;
  }
  text << " is " << original << " in the original and " << exported << " in the export ("
       << std::count(difference.channels.begin(), difference.channels.end(), true) << " of "
       << difference.channels.size() << (positions > 1 ? " channels" : " features") << " differ)";
  return text.str();
}

std::string compare_layers(const Architecture& architecture, const Layers& original, const Layers& exported,
                           double tolerance) {
  if (original.empty()) return "the original does not reveal its layers";
  const std::size_t convs = architecture.conv_layers.size();
  if (original.size() != exported.size()) {
    return "the original has " + std::to_string(original.size()) + " layers, the export " +
           std::to_string(exported.size());
  }
  for (std::size_t i = 0; i < original.size(); ++i) {
    const std::string name = layer_name(architecture, i);
    const std::size_t channels = i < convs ? architecture.conv_layers[i].filters : original[i].size();
    if (original[i].size() != exported[i].size()) {
      std::string text = name + " differs first: " + std::to_string(original[i].size()) + " values in the original, " +
                         std::to_string(exported[i].size()) + " in the export";
      if (i < convs && channels != 0 && exported[i].size() % channels == 0) {
        text += " (" + std::to_string(original[i].size() / channels) + " and " +
                std::to_string(exported[i].size() / channels) + " positions: padding, stride, dilation or max_len)";
      }
      return text;
    }
    if (channels == 0) continue;
    const LayerDifference difference = compare(original[i], exported[i], channels, tolerance);
    if (!(difference.worst <= tolerance * difference.scale)) {
      return describe(name, difference, original[i].size() / channels, original[i][difference.place],
                      exported[i][difference.place]);
    }
  }
  return "no layer differs by itself in double: the rounding of the engine, or a difference below the tolerance that "
         "the later layers amplify";
}

}  // namespace

std::string first_difference(const Architecture& architecture, OriginalRunner& runner, const Model& model,
                             const Bytes& input, double tolerance) {
  try {
    return compare_layers(architecture, runner.layer_outputs(input), reference_layer_outputs(model, input), tolerance);
  } catch (const Error& error) {
    return std::string("the layers cannot be compared: ") + error.what();
  }
}

}  // namespace bytecnn::exporter
