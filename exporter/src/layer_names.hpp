#pragma once
/// What a layer's name tells: its words, its numbers, its place in an nn.Sequential.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bytecnn::exporter {

/// "encoder.conv_layers.2" or "batchNorm1d_3", taken apart.
struct LayerName {
  std::vector<std::string> words;      ///< lower case, without numbers and without "1d": {"encoder", "conv", "layers"}
  std::vector<std::uint64_t> indices;  ///< every number in order: {2}
  std::string stem;    ///< the words with the path's dots: layers with one stem are ordered by their indices
  std::string parent;  ///< "encoder.conv_layers"
  /// The last component where it is nothing but a number: a place in an nn.Sequential or an nn.ModuleList.
  std::optional<std::uint64_t> place;

  [[nodiscard]] bool has_word(std::initializer_list<std::string_view> any_of) const;
};

[[nodiscard]] LayerName parse_layer_name(std::string_view path);

}  // namespace bytecnn::exporter
