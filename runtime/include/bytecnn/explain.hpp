#pragma once
/// Why a model gave a logit: how much every byte contributed to it, and which bytes won the max pooling.
///
///     const bytecnn::Explanation why = bytecnn::explain(classifier.model(), request);
///     for (std::size_t i = 0; i < why.contributions.size(); ++i) paint(request[i], why.contributions[i]);
///
/// The method is DeepLIFT's rescale rule (Shrikumar, Greenside, Kundaje, "Learning Important Features Through
/// Propagating Activation Differences", 2017): the network runs on the input and on a baseline that holds no text, and
/// every difference of an output is shared out among the differences of its inputs; linear layers by their weights,
/// activations by the slope between the two values. It therefore adds up:
///
///     logit = baseline + sum of all contributions        within rounding of doubles
///
/// The baseline is the input without any byte where the model pads, and an input that is zero padding throughout where
/// it does not. The rules for the pooling, where the paper leaves a choice:
/// - an average gives every column its share of the difference;
/// - a maximum above the baseline's belongs to the column that won; one below it belongs to the column where the
///   baseline had its maximum, which the text displaced;
/// - a standard deviation gives column p the share (y_p - z_p) (y_p + z_p - mean y - mean z) of the difference of the
///   sums of squares, y being the input's columns and z the baseline's: these add up, and columns that the text does
///   not touch get nothing.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// A channel of the last convolution whose maximum over all positions the head sees.
struct PoolWinner {
  std::uint32_t channel = 0;
  double value = 0;         ///< the maximum
  std::size_t begin = 0;    ///< bytes [begin, end) of the input are what the winning column saw;
  std::size_t end = 0;      ///< begin == end where it saw padding alone
  double contribution = 0;  ///< to the logit, through the maximum alone
};

struct Explanation {
  std::size_t output = 0;             ///< the output that is explained
  double logit = 0;                   ///< in double, as `reference_logits`
  double baseline = 0;                ///< the logit of the baseline
  std::vector<double> contributions;  ///< one for each byte that the model saw: min(input's length, max_len)
  /// One a channel, the largest |contribution| first; empty where the pooling holds no maximum.
  std::vector<PoolWinner> winners;
};

/// Explains logit `output` of `model` for `input` (cut to max_len). Contributions are linear in the output layer: those
/// to the difference of two logits are the differences of their contributions.
///
/// Runs in double and keeps all columns: about the cost of two `reference_logits`, and 8 bytes a column, channel and
/// layer. Allocates. Safe from many threads at once. Throws `Error`: usage where there is no such output, invalid where
/// the input is too short for a model that does not pad.
[[nodiscard]] Explanation explain(const Model& model, std::span<const std::byte> input, std::size_t output = 0);
[[nodiscard]] Explanation explain(const Model& model, std::string_view text, std::size_t output = 0);

}  // namespace BYTECNN_API
