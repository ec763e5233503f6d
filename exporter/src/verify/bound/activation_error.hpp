#pragma once
/// What activations do to ranges and errors.

#include "bytecnn/model.hpp"

#include "verify/bound/outward.hpp"

namespace bytecnn::exporter {

/// Interval of the derivative (of the slopes between any two points) over `input`.
[[nodiscard]] Interval slopes(const Activation& activation, Interval input) noexcept;

/// Interval of the values over `input`.
[[nodiscard]] Interval values(const Activation& activation, Interval input) noexcept;

/// What the function as it is computed, in a format with roundoff `u`, can be off by where |x| <= `size`.
/// tests/runtime/activation_accuracy_test.cpp holds the runtime's error over all floats.
[[nodiscard]] double function_error(const Activation& activation, double size, double u) noexcept;

/// sup |f(x)| / |x|, for functions with f(0) = 0; infinite for the sigmoid.
[[nodiscard]] double gain(const Activation& activation) noexcept;

}  // namespace bytecnn::exporter
