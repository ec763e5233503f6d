#pragma once
/// A bound that holds with a stated probability instead of always: never a proof. Source: N. J. Higham and T. Mary, "A
/// new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 41 (5), 2019.

#include <cstddef>
#include <vector>

#include "bytecnn/model.hpp"

#include "verify/bound/exact_layers.hpp"
#include "verify/bound/head_error.hpp"
#include "verify/bound/own_errors.hpp"

namespace bytecnn::exporter {

/// For one way of computing: numbers, one a logit, such that for any one input the probability that some logit differs
/// by more is at most `chance`, provided that roundings are as numerics.md assumes. `own[layer]` and `weights[layer]`
/// are of the conv layers, `head` is of this way, `input_error` of the embedding's dimensions.
[[nodiscard]] std::vector<double> probable_errors(const Architecture& architecture, const std::vector<OwnErrors>& own,
                                                  const std::vector<ExactTensor>& weights, const HeadErrors& head,
                                                  std::size_t way, const std::vector<double>& input_error, double u,
                                                  double chance);

}  // namespace bytecnn::exporter
