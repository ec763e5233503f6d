#include "torch/token_row.hpp"

#include <algorithm>
#include <string>

#include <ATen/ops/full.h>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter {

at::Tensor token_row(const Architecture& architecture, std::span<const std::byte> input) {
  const std::size_t kept = std::min<std::size_t>(input.size(), architecture.max_len);
  const std::size_t positions = architecture.pad_token ? architecture.max_len : kept;
  if (architecture.pooled_positions(positions) < minimum_pooled_positions(architecture.pooling)) {
    throw Error(ErrorCode::invalid, "the input is too short for this model, which does not pad", {},
                "enough bytes for one window of every conv layer", std::to_string(kept) + " bytes");
  }
  at::Tensor row =
      at::full({1, static_cast<std::int64_t>(positions)}, static_cast<std::int64_t>(architecture.pad_token.value_or(0)),
               at::TensorOptions().dtype(at::kLong));
  auto* tokens = row.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < kept; ++i) tokens[i] = std::to_integer<std::int64_t>(input[i]);
  return row;
}

std::vector<double> to_doubles(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kCPU, at::kDouble).contiguous();
  const auto* data = flat.data_ptr<double>();
  return {data, data + flat.numel()};
}

}  // namespace bytecnn::exporter
