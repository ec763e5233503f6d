#pragma once
/// What happens to a convolution's finished sums: activation, scale and shift, residual, in one pass over columns that
/// still lie in the first-level cache.

#include <cstddef>

#include "kernels/activations.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// `residual` is the first input column that is added; columns lie `residual_floats` apart.
template <class Arch, class Function>
void finish_columns(const Epilogue& epilogue, float* columns, std::size_t count, std::size_t width,
                    const float* residual, std::size_t residual_floats, Function function) noexcept {
  for (std::size_t p = 0; p < count; ++p, columns += width, residual += epilogue.residual ? residual_floats : 0) {
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      Floats<Arch> x = function(load<Arch>(columns + i));
      if (epilogue.scale != nullptr) {
        x = multiply_add<Arch>(x, load<Arch>(epilogue.scale + i), load<Arch>(epilogue.shift + i));
      }
      if (epilogue.residual) x += load<Arch>(residual + i);
      x.store_aligned(columns + i);
    }
  }
}

/// `count` finished columns of `vectors` vectors; `activated` tells that the activation is done already.
template <class Arch>
void apply_epilogue(const Epilogue& epilogue, bool activated, float* columns, std::size_t count, std::size_t vectors,
                    const float* residual, std::size_t residual_floats) noexcept {
  const bool none = activated || epilogue.activation == Activation::Kind::none;
  if (none && epilogue.scale == nullptr && !epilogue.residual) return;
  const Activation::Kind kind = none ? Activation::Kind::none : epilogue.activation;
  with_activation<Arch>(kind, epilogue.slope, [&](auto function) {
    finish_columns<Arch>(epilogue, columns, count, vectors * lanes<Arch>, residual, residual_floats, function);
  });
}

}  // namespace bytecnn::kernels
