#pragma once
/// Mistakes that an exporter can make, each made on purpose.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "original.hpp"

namespace bytecnn::exporter::testing {

/// One mistake. `make` gives the wrong export of an original; nothing where the original has no place for the mistake
/// (no batch norm to drop, one filter to swap), or where it changes nothing (a running mean that is zero).
struct Mistake {
  std::string name;
  std::function<std::optional<Model>(const Original&, std::uint32_t seed)> make;
};

/// Structure: eps, running mean, batch norm dropped or folded backwards, padding, pooling, max_len, pad token,
/// activation, stride, dilation, a layer dropped, channels swapped, ...; and one number of each kind off by 1e-3.
[[nodiscard]] const std::vector<Mistake>& mistakes();

/// The kinds of numbers of an export: "embedding number", "conv weight", "conv bias", "scale", "shift", "dense weight",
/// "output weight", "output bias".
[[nodiscard]] const std::vector<std::string>& number_kinds();

/// A right export in which one number of that kind, chosen by `seed` among those of at least a tenth of their array's
/// largest, is off by the relative `size`. Nothing where the original has none, or where so small a change rounds away.
[[nodiscard]] std::optional<Model> with_one_number_off(const Original& original, const std::string& kind, double size,
                                                       std::uint32_t seed);

}  // namespace bytecnn::exporter::testing
