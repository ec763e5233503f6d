#pragma once
/// What is known of the columns that enter a convolution, over all inputs and positions.

#include <cstddef>
#include <span>
#include <vector>

#include "bytecnn/model.hpp"

#include "verify/bound/outward.hpp"

namespace bytecnn::exporter {

/// A column as a function of the tokens of one window: channel c is activation(sum over taps k of part[k][t_k][c]).
/// The embedding is one tap without activation; the first conv layer has its kernel's taps. Sums over channels of such
/// columns are bounded jointly: one token a tap must serve all channels.
struct SeparableColumns {
  std::size_t taps = 0;
  std::size_t tokens = 0;
  std::size_t channels = 0;
  std::vector<double> part;  ///< [taps][tokens][channels]; the bias is spread over the taps
  double uncertainty = 0;    ///< of any part
  Activation activation;
};

/// Upper bounds on running sums over channels, each over all windows by itself; none is below zero.
struct PartialSums {
  std::vector<double> chain;  ///< [channels]: since the chain began
  std::vector<double> total;  ///< [chains]: of all chains so far
};

/// Ranges of a layer's output in the exact original, and how far each way of computing the export is from it.
class ColumnBounds {
 public:
  std::vector<Interval> range;             ///< [channels] in the original
  std::vector<std::vector<double>> error;  ///< [ways][channels]: |computed - original| at any position

  [[nodiscard]] std::size_t channels() const noexcept { return range.size(); }

  /// Takes over a separable form; `range` must be set already. Ignored where a joint bound would cost too much.
  void set_separable(const SeparableColumns& columns);

  /// sup over all windows of sum over channels [first, first + a.size()) of a[c] |x[c]| in the original; a >= 0.
  [[nodiscard]] double largest_sum(std::span<const double> a, std::size_t first) const;

  /// The same of sum w[c] x[c] for signed w.
  [[nodiscard]] double largest_signed_sum(std::span<const double> w, std::size_t first) const;

  /// The same of every running sum of w[c] x[c] in the order of the channels, begun anew every `chain` channels.
  [[nodiscard]] PartialSums largest_partial_sums(std::span<const double> w, std::size_t first, std::size_t chain) const;

 private:
  /// |x[c]| <= sum over taps of majorant[k][t_k][c] for every window.
  struct Majorant {
    std::vector<double> values;  ///< [taps][tokens][channels]
  };
  void set_majorants(const SeparableColumns& columns);
  [[nodiscard]] double separable_sum(const std::vector<double>& values, std::span<const double> a,
                                     std::size_t first) const;

  std::size_t taps_ = 0, tokens_ = 0;
  std::vector<Majorant> majorants_;
  /// relu: x[c] >= slope * sum of parts; without activation x[c] is that sum. Empty: neither.
  std::vector<double> minorant_;
  std::vector<double> upper_, lower_;  ///< x[c] lies between their sums over taps: [taps][channels][tokens]
  bool linear_ = false;
  double uncertainty_ = 0;
  double largest_part_ = 0;  ///< |part|, and |majorant|
};

}  // namespace bytecnn::exporter
