#pragma once
/// Activation functions on vectors, by polynomials of our own: no branch, no table, no division but in the sigmoid's
/// family. Coefficients are Chebyshev expansions of the named function, computed in 40 digits and rounded to float.
///
/// Largest errors over all floats, measured against double precision (tests/runtime/activation_accuracy_test.cpp holds
/// them on every instruction set), with ulp(1) = 1.2e-7:
///   gelu      3e-7 max(1, |x|)
///   silu      3e-7 max(1, |x|)
///   tanh      2.5e-7 of the value
///   sigmoid   2.5e-7 of the value and 2e-38

#include <cstddef>
#include <cstdint>

#include "bytecnn/model.hpp"

#include "kernels/simd.hpp"

namespace bytecnn::kernels {

/// e^x as `power` (1 + `rest`), where `power` is a power of two: e^x - 1 then loses nothing near 0.
template <class Arch>
struct Exponential {
  Floats<Arch> power, rest;
};

/// |x| at most 87. x = n ln 2 + r with |r| <= ln 2 / 2; rest = e^r - 1 = r + r^2 q(r), off by at most 1.1e-8.
template <class Arch>
BYTECNN_INLINE Exponential<Arch> exponential(Floats<Arch> x) {
  using V = Floats<Arch>;
  using Integers = xsimd::batch<std::int32_t, Arch>;
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the lowest bits.
  const V magic(12582912.0F);
  const V shifted = multiply_add<Arch>(x, V(1.44269504F), magic);
  const V n = shifted - magic;
  V r = multiply_add<Arch>(n, V(-0.693359375F), x);  // 9 bits: the product is exact
  r = multiply_add<Arch>(n, V(2.12194440e-4F), r);
  V q(0.0013933823211118579F);
  q = multiply_add<Arch>(q, r, V(0.00836329534649849F));
  q = multiply_add<Arch>(q, r, V(0.041666463017463684F));
  q = multiply_add<Arch>(q, r, V(0.16666576266288757F));
  q = multiply_add<Arch>(q, r, V(0.5F));
  const Integers exponent = (same_bits<std::int32_t>(shifted) + Integers(127)) << 23;
  return {same_bits<float>(exponent), multiply_add<Arch>(q, r * r, r)};
}

template <class Arch>
BYTECNN_INLINE Floats<Arch> clamp(Floats<Arch> x, float limit) {
  return xsimd::min(xsimd::max(x, Floats<Arch>(-limit)), Floats<Arch>(limit));
}

/// 1 / (1 + e^-x).
template <class Arch>
BYTECNN_INLINE Floats<Arch> sigmoid(Floats<Arch> x) {
  const Floats<Arch> one(1.0F);
  const Exponential<Arch> e = exponential<Arch>(clamp<Arch>(-x, 87.0F));
  return one / (one + multiply_add<Arch>(e.power, e.rest, e.power));
}

/// x / (1 + e^-x), 0 where the sigmoid would be.
template <class Arch>
BYTECNN_INLINE Floats<Arch> silu(Floats<Arch> x) {
  return xsimd::select(x < Floats<Arch>(-87.0F), Floats<Arch>(0.0F), x * sigmoid<Arch>(x));
}

/// (e^2x - 1) / (e^2x + 1). Beyond 9.1 it rounds to 1.
template <class Arch>
BYTECNN_INLINE Floats<Arch> tanh(Floats<Arch> x) {
  using V = Floats<Arch>;
  const V clamped = clamp<Arch>(x, 9.1F);
  const Exponential<Arch> e = exponential<Arch>(clamped + clamped);
  const V minus_one = multiply_add<Arch>(e.power, e.rest, e.power - V(1.0F));
  return minus_one / (minus_one + V(2.0F));
}

/// Gelu in its erf form, x Phi(x) with Phi the normal distribution function: Phi(x) = 1/2 + x G(x^2), G by a polynomial
/// of degree 15 in t = 2 x^2 / 5.5^2 - 1 that is off by at most 1.7e-8 / |x| up to |x| = 5.5. Below that Phi counts as
/// 0 (it is 1.9e-8 there), above as 1.
template <class Arch>
BYTECNN_INLINE Floats<Arch> gelu(Floats<Arch> x) {
  using V = Floats<Arch>;
  constexpr float limit = 5.5F;
  constexpr float coefficients[] = {
      -0.00028567633125931025F, 0.0006562366615980864F, -0.00035675460821948946F, 0.0006399065023288131F,
      -0.0026587024332091F,     0.004723569843918085F,  -0.006650678347796202F,   0.010164212435483932F,
      -0.015062524005770683F,   0.020384807139635086F,  -0.026036150753498077F,   0.03206722438335419F,
      -0.03879379481077194F,    0.04773779585957527F,   -0.06417231261730194F,    0.1285519301891327F};
  const V clamped = clamp<Arch>(x, limit);
  const V t = multiply_add<Arch>(clamped * V(2.0F / (limit * limit)), clamped, V(-1.0F));
  V g(coefficients[0]);
#pragma GCC unroll 16
  for (std::size_t i = 1; i < 16; ++i) g = multiply_add<Arch>(g, t, V(coefficients[i]));
  const V phi = multiply_add<Arch>(clamped, g, V(0.5F));
  return xsimd::select(x < V(-limit), V(0.0F), x * phi);
}

/// Calls `use` with the activation as a function from vector to vector.
template <class Arch, class Use>
BYTECNN_INLINE void with_activation(Activation::Kind kind, float slope, Use use) {
  using V = Floats<Arch>;
  switch (kind) {
    case Activation::Kind::none:
      return use([](V x) { return x; });
    case Activation::Kind::relu:
      return use([](V x) { return xsimd::max(x, V(0.0F)); });
    case Activation::Kind::leaky_relu:
      return use([slope](V x) { return xsimd::select(x > V(0.0F), x, x * V(slope)); });
    case Activation::Kind::gelu:
      return use([](V x) { return gelu<Arch>(x); });
    case Activation::Kind::silu:
      return use([](V x) { return silu<Arch>(x); });
    case Activation::Kind::tanh:
      return use([](V x) { return kernels::tanh<Arch>(x); });
    case Activation::Kind::sigmoid:
      return use([](V x) { return sigmoid<Arch>(x); });
  }
}

/// Applies an activation to `count` vectors in place.
template <class Arch>
void activate(float* values, std::size_t count, Activation::Kind kind, float slope) noexcept {
  if (kind == Activation::Kind::none) return;
  with_activation<Arch>(kind, slope, [values, count](auto function) {
    for (std::size_t i = 0; i < count; ++i) {
      float* p = values + i * lanes<Arch>;
      function(load<Arch>(p)).store_aligned(p);
    }
  });
}

}  // namespace bytecnn::kernels
