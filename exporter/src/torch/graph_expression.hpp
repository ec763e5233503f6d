#pragma once
/// A TorchScript graph reduced to what a byte CNN is made of. Operators that do nothing at inference (dropout, casts,
/// contiguous) and pure changes of shape (transpose, squeeze, view) leave no trace but the layout.

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "bytecnn/model.hpp"

namespace torch::jit {
struct Value;
}

namespace bytecnn::exporter {

/// What the axes of a value mean. N, the number of inputs, is 1 throughout.
enum class Layout : std::uint8_t {
  tokens,    ///< [N, L] the input
  rows,      ///< [N, L, C] as the embedding gives it
  columns,   ///< [N, C, L] as a convolution wants it
  kept,      ///< [N, C, 1] pooled with the dimension kept
  features,  ///< [N, C]
  flat,      ///< [C] the batch axis was squeezed or viewed away
  stacked,   ///< features side by side along a new axis, `Expression::number`
};

enum class Op : std::uint8_t {
  tokens,
  embedding,     ///< weight
  pad,           ///< left, right: columns of zeros
  conv,          ///< weight, bias; left, right, stride, dilation, groups
  batch_norm,    ///< weight, bias (each perhaps undefined), mean, variance, number = eps
  activation,    ///< activation
  add,           ///< two inputs
  scale,         ///< times number
  add_constant,  ///< plus number
  square_root,
  sum,       ///< over the positions
  average,   ///< over the positions
  maximum,   ///< over the positions
  variance,  ///< over the positions, unbiased
  concat,    ///< of features
  stack,     ///< of features along a new axis, number
  linear,    ///< weight, bias
  softmax,   ///< also log_softmax
};

/// One step of the dataflow.
struct Expression {
  Op op = Op::tokens;
  std::vector<const Expression*> inputs;
  /// The graph value that holds this step's result, and its layout. The same step may be seen in other layouts later.
  torch::jit::Value* value = nullptr;
  Layout layout = Layout::tokens;
  /// Number of channels or features, C.
  std::int64_t width = 0;
  /// The operator as the graph names it, for messages.
  std::string name;

  at::Tensor weight, bias, mean, variance;
  Activation activation;
  double number = 0;
  std::int64_t left = 0, right = 0, stride = 1, dilation = 1, groups = 1;

  [[nodiscard]] const Expression& input() const { return *inputs.front(); }
};

}  // namespace bytecnn::exporter
