#pragma once
/// An export that states another structure than its original may agree with it on most inputs: another max_len shows
/// only where the byte behind it matters, padding only where the border does. The input that tells them apart is
/// searched.

#include <cstdint>
#include <optional>

#include "bytecnn/model.hpp"

#include "verify/verify.hpp"

namespace bytecnn::exporter {

struct TellingInputSearch {
  std::optional<NamedInput> input;  ///< the first clear difference, or the largest; none where both always agreed
  std::size_t tried = 0;
};

/// Tries runs of a byte, random bytes, and runs with other bytes at the borders, at all lengths round both max_len,
/// with both models in double. `work_limit` in multiplications of the reference.
[[nodiscard]] TellingInputSearch search_telling_input(const Model& right, const Model& model, std::uint64_t seed,
                                                      std::uint64_t work_limit);

}  // namespace bytecnn::exporter
