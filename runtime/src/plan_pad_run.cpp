// Pooling, and the columns that see padding alone: known before any text is.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan_builder.hpp"
#include "reference_columns.hpp"

namespace bytecnn {
namespace {

/// Beyond so many tokens the run of padding is not worth the reference's time when a plan is built.
constexpr std::int64_t max_pad_run_tokens = 1 << 16;

}  // namespace

void PlannedModel::build_pool(const Model& model, std::uint32_t vectors) {
  plan_.pool.pooling = model.architecture.pooling;
  plan_.pool.channels = model.architecture.conv_layers.back().filters;
  plan_.pool.vectors = vectors;
  if (plan_.padded) build_pad_run(model);
}

void PlannedModel::build_pad_run(const Model& model) {
  // Column j sees the tokens from j * stride - pad on; constant are those that see nothing but padding and no border.
  const auto stride = static_cast<std::int64_t>(plan_.total_stride);
  const auto pad = static_cast<std::int64_t>(plan_.total_pad_left);
  const auto field = static_cast<std::int64_t>(plan_.receptive_field);
  const auto length = static_cast<std::int64_t>(plan_.max_len);
  const auto last_constant = [&](std::int64_t tokens) {
    const std::int64_t room = tokens - field + pad;
    return room < 0 ? -1 : room / stride;
  };
  const std::int64_t first_constant = (pad + stride - 1) / stride;  // of an empty text
  if (last_constant(length) < first_constant) return;

  // A shorter run of padding has the same constant and the same border, if the strides meet the end in the same way.
  const std::int64_t shortest = first_constant * stride + field - pad;
  const std::int64_t tokens = length - (length - shortest) / stride * stride;
  if (tokens > max_pad_run_tokens) return;
  const std::vector<double> columns =
      reference_columns(model, std::vector<std::uint32_t>(static_cast<std::size_t>(tokens), plan_.pad_token));
  const std::size_t channels = plan_.pool.channels;
  const std::size_t positions = columns.size() / channels;
  const auto constant = static_cast<std::size_t>(last_constant(tokens));

  PadRun& run = plan_.pool.pad_run;
  const std::size_t width = std::size_t{plan_.pool.vectors} * lanes_;
  float* memory = allocate(4 * width);
  run.present = true;
  run.last_constant = last_constant(length);
  run.constant = memory;
  run.border_sum = memory + width;
  run.largest = memory + 2 * width;
  run.border_squares = memory + 3 * width;
  run.border_columns = static_cast<std::uint32_t>(positions - constant - 1);
  for (std::size_t c = 0; c < channels; ++c) {
    const double* row = &columns[c * positions];
    double sum = 0;
    double largest = row[constant];
    for (std::size_t p = constant + 1; p < positions; ++p) {
      sum += row[p];
      largest = std::max(largest, row[p]);
    }
    double squares = 0;
    for (std::size_t p = constant + 1; p < positions; ++p) {
      const double distance = row[p] - sum / run.border_columns;
      squares += distance * distance;
    }
    memory[c] = static_cast<float>(row[constant]);
    memory[width + c] = static_cast<float>(sum);
    memory[2 * width + c] = static_cast<float>(largest);
    memory[3 * width + c] = static_cast<float>(squares);
  }
}

}  // namespace bytecnn
