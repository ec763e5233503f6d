#pragma once
/// Adversaries: bytes that drive a filter of any conv layer to its extremes.

#include <cstddef>
#include <cstdint>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Bytes that drive the first conv layer's filter `filter` to its largest (or smallest) value, window after window,
/// over `length` bytes: in each tap the byte with the extreme contribution, found through T[tap][byte][filter]; exact.
[[nodiscard]] Bytes filter_extreme(const Model& model, std::size_t filter, bool highest, std::size_t length);

/// The same for conv layer `layer` (0-based, 1 or more): the window of bytes that the filter sees is improved byte by
/// byte, each of the 256 values tried at each place, until no single byte helps or three rounds are over; a local
/// extreme. The window is repeated over `length` bytes.
[[nodiscard]] Bytes deep_filter_extreme(const Model& model, std::size_t layer, std::size_t filter, bool highest,
                                        std::size_t length);

/// Multiplications that `deep_filter_extreme` takes at most.
[[nodiscard]] std::uint64_t deep_filter_work(const Architecture& architecture, std::size_t layer);

}  // namespace bytecnn::exporter
