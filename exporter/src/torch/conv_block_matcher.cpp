#include "torch/conv_block_matcher.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "torch/node_arguments.hpp"
#include "torch/token_row.hpp"

namespace bytecnn::exporter {

void misplaced(const Expression& step, const std::string& why) {
  throw Inexpressible(step.name + ": " + why);
}

std::vector<double> doubles_or_none(const at::Tensor& tensor) {
  return tensor.defined() ? to_doubles(tensor) : std::vector<double>{};
}

std::uint32_t narrow(const Expression& step, std::int64_t number) {
  if (number < 0 || number > std::int64_t{std::numeric_limits<std::uint32_t>::max()}) {
    misplaced(step, std::to_string(number) + " is out of range");
  }
  return static_cast<std::uint32_t>(number);
}

namespace {

/// A vector of `size` numbers for batch norm; without affine the file holds none.
std::vector<double> channel_numbers(const at::Tensor& tensor, std::int64_t size, double fallback,
                                    const Expression& step) {
  if (!tensor.defined()) return std::vector<double>(static_cast<std::size_t>(size), fallback);
  auto values = to_doubles(tensor);
  if (static_cast<std::int64_t>(values.size()) != size)
    misplaced(step, "has another number of channels than its input");
  return values;
}

OriginalBatchNorm batch_norm_of(const Expression& norm) {
  return {channel_numbers(norm.weight, norm.width, 1, norm), channel_numbers(norm.bias, norm.width, 0, norm),
          channel_numbers(norm.mean, norm.width, 0, norm), channel_numbers(norm.variance, norm.width, 1, norm)};
}

std::uint64_t learned_in(const Expression& norm) {
  const auto size = [](const at::Tensor& tensor) {
    return tensor.defined() ? static_cast<std::uint64_t>(tensor.numel()) : 0;
  };
  return size(norm.weight) + size(norm.bias);
}

void set_batch_norm(ConvBlock& block, const Expression& norm, BatchNormSpec::Position position) {
  block.layer.batch_norm = BatchNormSpec{norm.number, position};
  block.weights.batch_norm = batch_norm_of(norm);
  block.learned += learned_in(norm);
}

void fold_into(ConvBlock& block, const Expression& norm) {
  const OriginalBatchNorm numbers = batch_norm_of(norm);
  block.learned += learned_in(norm);
  const std::size_t filters = numbers.gamma.size();
  const std::size_t window = block.weights.weight.size() / filters;
  if (block.weights.bias.empty()) block.weights.bias.assign(filters, 0);
  for (std::size_t f = 0; f < filters; ++f) {
    const double factor = numbers.gamma[f] / std::sqrt(numbers.variance[f] + norm.number);
    for (std::size_t i = 0; i < window; ++i) block.weights.weight[f * window + i] *= factor;
    block.weights.bias[f] = (block.weights.bias[f] - numbers.mean[f]) * factor + numbers.beta[f];
  }
}

ConvBlock match_body(const Expression& shown) {
  ConvBlock block;
  const Expression* step = &shown;
  const Expression* after = nullptr;
  const Expression* before = nullptr;
  if (step->op == Op::batch_norm && step->input().op == Op::activation) {
    after = step;
    step = &step->input();
  }
  if (step->op == Op::activation) {
    block.layer.activation = step->activation;
    step = &step->input();
  }
  if (step->op == Op::batch_norm) {
    before = step;
    step = &step->input();
  }
  if (step->op != Op::conv) {
    misplaced(shown, (step == &shown ? "stands" : "works on " + step->name) +
                         std::string(" where a convolution was expected (embedding -> conv -> batch norm, activation "
                                     "-> pooling)"));
  }
  const Expression& conv = *step;
  if (conv.bias.defined() && conv.bias.numel() != conv.width) misplaced(conv, "its bias has another size");
  block.weights.weight = to_doubles(conv.weight);
  block.weights.bias = doubles_or_none(conv.bias);
  block.learned = static_cast<std::uint64_t>(conv.weight.numel()) + block.weights.bias.size();
  block.layer.filters = narrow(conv, conv.width);
  block.layer.kernel_size = narrow(conv, conv.weight.size(2));
  block.layer.stride = narrow(conv, conv.stride);
  block.layer.dilation = narrow(conv, conv.dilation);
  block.layer.groups = narrow(conv, conv.groups);
  if (conv.groups < 1) misplaced(conv, "has no groups");
  if (before != nullptr && after != nullptr) {
    // An architecture names one batch norm a layer; the one before the activation folds without loss.
    fold_into(block, *before);
  } else if (before != nullptr) {
    set_batch_norm(block, *before, BatchNormSpec::Position::before_activation);
  }
  if (after != nullptr) set_batch_norm(block, *after, BatchNormSpec::Position::after_activation);

  std::int64_t left = conv.left;
  std::int64_t right = conv.right;
  step = &conv.input();
  while (step->op == Op::pad) {
    left += step->left;
    right += step->right;
    step = &step->input();
  }
  block.layer.pad_left = narrow(conv, left);
  block.layer.pad_right = narrow(conv, right);
  block.input = step;
  if (conv.weight.size(1) * conv.groups != step->width) misplaced(conv, "has another number of input channels");
  return block;
}

}  // namespace

ConvBlock match_conv_block(const Expression& shown) {
  ConvBlock block;
  if (shown.op == Op::add) {
    std::string reasons;
    for (const std::size_t body : {std::size_t{0}, std::size_t{1}}) {
      try {
        block = match_body(*shown.inputs[body]);
      } catch (const Inexpressible& reason) {
        reasons = reason.what();
        continue;
      }
      if (block.input == shown.inputs[1 - body]) {
        block.layer.residual = true;
        block.shown = {shown.value, shown.layout};
        return block;
      }
      reasons = shown.name + ": adds something else than the input of the block before it";
    }
    throw Inexpressible(reasons);
  }
  block = match_body(shown);
  block.shown = {shown.value, shown.layout};
  return block;
}

}  // namespace bytecnn::exporter
