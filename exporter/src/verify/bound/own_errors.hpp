#pragma once
/// What a layer adds to the difference by itself, told apart by kind: for a bound that always holds and for one that
/// holds with a stated probability.

#include <cstddef>
#include <vector>

namespace bytecnn::exporter {

/// Of one sum, or one channel.
struct OwnError {
  double bound = 0;    ///< everything at its worst
  double known = 0;    ///< the part of it that is no matter of chance: rounded weights, functions, second order
  double squares = 0;  ///< of the rest: squares of what single roundings can do to first order, summed; in units of u^2
  /// Roundings that all channels share, each times what this channel takes of it; in units of u.
  std::vector<double> shared;
};

/// Of one layer, in one way of computing.
struct OwnErrors {
  std::vector<OwnError> channels;
  std::vector<double> gain;  ///< [channels]: largest slope behind the sum: of the activation, times |scale|
};

}  // namespace bytecnn::exporter
