#pragma once

#include <span>

#include "bytecnn/model.hpp"

namespace bytecnn {

/// The most by which any logit moves, for any input, where every column of filter f of the last convolution moves by at
/// most `radii[f]`; for poolings without a deviation. The average and the maximum move no more than the columns do; by
/// the mean value theorem a logit moves by a value of the head's Jacobian times that, and the Jacobian lies within the
/// product of the weights with the intervals of the activations' slopes. Allocates.
[[nodiscard]] double largest_logit_movement(const Model& model, std::span<const double> radii);

}  // namespace bytecnn
