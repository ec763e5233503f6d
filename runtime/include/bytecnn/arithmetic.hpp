#pragma once
/// How the convolution and the pooling of a one-layer model are computed.

#include <cstdint>
#include <string_view>

#include "bytecnn/api.h"

namespace bytecnn BYTECNN_API {

enum class Arithmetic : std::uint8_t {
  float32,  ///< for every model; two instruction sets differ by rounding
  int32,    ///< fixed point of 25 bits: sums do not depend on their order, so logits and scores are the same bits on
            ///< every instruction set
  int16,    ///< fixed point of 12 bits: half the table, faster on long texts; its error is measured and bounded
};

/// "float32", "int32", "int16".
[[nodiscard]] std::string_view to_string(Arithmetic arithmetic) noexcept;

/// The inverse. Throws `Error` (`usage`) for another name.
[[nodiscard]] Arithmetic parse_arithmetic(std::string_view name);

}  // namespace BYTECNN_API
