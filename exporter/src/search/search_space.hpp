#pragma once
/// Which structures a search tries: for every property that shapes, statement and modules leave open, the values that
/// are in use, each with a price. Usual values cost nothing, so that the likeliest structures come first.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "original.hpp"
#include "verify/recorded_reference.hpp"

namespace bytecnn::exporter {

template <class T>
struct Priced {
  T value;
  unsigned price = 0;
};

/// How inputs are cut and padded.
struct InputForm {
  std::uint32_t max_len = 512;
  std::optional<std::uint32_t> pad_token;
  friend bool operator==(const InputForm&, const InputForm&) = default;
};

/// How zero columns follow from kernel and dilation: what a layer has in common with the next one of another size.
enum class PaddingRule : std::uint8_t { same, valid, half_kernel, half_kernel_down, same_left, causal, full, number };

/// Stride, dilation and padding of one convolution.
struct Geometry {
  std::uint32_t stride = 1, dilation = 1, left = 0, right = 0;
  PaddingRule rule = PaddingRule::same;
};

struct LayerSpace {
  std::vector<Priced<Geometry>> geometries;
  std::vector<Priced<BatchNormSpec>> norms;  ///< empty: the layer has no batch norm
  std::vector<Priced<Activation>> activations;
  std::vector<Priced<bool>> residual;
};

struct SearchSpace {
  std::vector<Priced<InputForm>> inputs;
  std::vector<LayerSpace> layers;
  std::vector<Pooling> poolings;
  std::vector<std::vector<Priced<Activation>>> dense;
  /// Keys of `Original::sources` that the search may settle ("pooling", "conv2.padding").
  std::vector<std::string> open_keys;

  /// The number of structures; a double, because it may be beyond any integer.
  [[nodiscard]] double size() const;
  /// The most that a structure can cost.
  [[nodiscard]] unsigned highest_price() const;
};

/// What `original.sources` leaves open: keys whose source is "default" or "sequential" (a guess by numbers). What a
/// recording says of max_len and pad_token settles them. Whole numbers among `hints` (scalars beside the weights) are
/// tried as max_len. `Throws Error` (invalid) where the recording contradicts what is stated.
[[nodiscard]] SearchSpace search_space(const Original& original, const RecordedReference& reference,
                                       const std::vector<std::pair<std::string, std::string>>& hints = {});

/// What a layer's choice costs behind a layer with `previous`: layers of one model are usually alike, so what was
/// chosen before is free.
[[nodiscard]] unsigned price_of(const Priced<Geometry>& choice, const Geometry* previous);
[[nodiscard]] unsigned price_of(const Priced<BatchNormSpec>& choice, const BatchNormSpec* previous);
[[nodiscard]] unsigned price_of(const Priced<Activation>& choice, const Activation* previous);

}  // namespace bytecnn::exporter
