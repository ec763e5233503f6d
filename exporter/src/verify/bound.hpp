#pragma once
/// A bound on the difference between an export and its original that holds for every input; exporter/numerics.md has
/// the mathematics.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bytecnn::exporter {

/// How far one way of computing the export can stray from the exact original, whatever the input.
struct SideBound {
  std::string name;            ///< "fold" (the exported numbers in double), "engine avx512", ...
  std::vector<double> logits;  ///< for each logit: no input can make it differ by more
  double worst_logit = 0;      ///< the largest of them
  std::size_t worst_output = 0;
  double score = 0;  ///< no score differs by more
  /// For each logit: for any one input the probability that some logit differs by more is at most `Bound::chance`, if
  /// roundings are independent with mean zero. No proof: see numerics.md. Empty for "fold" and where it was not
  /// derived.
  std::vector<double> probable_logits;
  double probable_logit = 0;  ///< the largest of them
  double probable_score = 0;
  bool winograd = false;  ///< some convolution of this instruction set runs by Winograd's algorithm
};

/// What the bound knows of one layer, over all inputs, positions and channels.
struct LayerBound {
  std::string name;          ///< "conv1", "pooling", "dense1", "output"
  double largest_value = 0;  ///< bound on |value| in the original
  double fold_error = 0;     ///< largest error that arrives here: the exported numbers in double
  double engine_error = 0;   ///< and on the worst instruction set
  std::size_t channel = 0;   ///< where `engine_error` stands
};

struct Bound {
  /// Of `SideBound::probable_logits`: for one input, and what must hold of its roundings.
  static constexpr double chance = 1e-12;
  static constexpr const char* assumption =
      "for one input, to first order, if different roundings are independent with mean zero; an estimate, no proof";
  SideBound fold;
  std::vector<SideBound> engines;  ///< one an instruction set of this machine
  std::vector<LayerBound> layers;
  /// Windows of the first layer that were run one by one against the original in double; 0: interval and running-error
  /// analysis alone.
  std::uint64_t windows = 0;
  double seconds = 0;       ///< that the windows took
  std::string not_windows;  ///< why windows that were asked for were not run; empty where they were, or nobody asked
  std::string unavailable;  ///< why there is no bound; empty where there is one
};

}  // namespace bytecnn::exporter
