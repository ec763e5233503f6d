#pragma once
/// One block of convolution in a graph's dataflow.

#include <cstdint>
#include <string>
#include <vector>

#include "original.hpp"
#include "torch/graph_expression.hpp"
#include "torch/structure_matcher.hpp"

namespace bytecnn::exporter {

struct ConvBlock {
  OriginalConv weights;
  ConvLayer layer;
  const Expression* input = nullptr;  ///< what enters the block
  LayerValue shown;                   ///< the graph value that holds its output
  std::uint64_t learned = 0;          ///< numbers that were learned
};

/// conv -> [batch norm] -> activation -> [batch norm] -> [+ the block's input], `shown` being its output. Throws
/// `Inexpressible` that names the step which is out of place.
[[nodiscard]] ConvBlock match_conv_block(const Expression& shown);

/// Throws `Inexpressible`: the step's name and why it cannot stand where it does.
[[noreturn]] void misplaced(const Expression& step, const std::string& why);

/// The numbers of a tensor that may be missing.
[[nodiscard]] std::vector<double> doubles_or_none(const at::Tensor& tensor);

/// A size that the graph states; throws `Inexpressible` where it is out of range.
[[nodiscard]] std::uint32_t narrow(const Expression& step, std::int64_t number);

}  // namespace bytecnn::exporter
