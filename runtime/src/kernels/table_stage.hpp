#pragma once
/// Embedding and first convolution by table look-up.
///
/// A column is the sum of one row a tap: kernel_size row loads and as many additions (the first row needs none), for
/// every vector of filters. Interior windows take their tokens straight from the input; windows that touch the end of
/// the text or a border look every token up by its position.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// The input as the table stage sees it: bytes, then pad tokens up to `tokens`, then nothing (zero padding).
struct TokenSource {
  const unsigned char* bytes = nullptr;
  std::int64_t length = 0;  ///< bytes of text
  std::int64_t tokens = 0;  ///< with padding
  std::uint32_t pad_token = 0;
  std::uint32_t outside = 0;  ///< the row that stands for "outside the input"

  [[nodiscard]] BYTECNN_INLINE std::size_t at(std::int64_t position) const {
    if (position < 0 || position >= tokens) return outside;
    return position < length ? bytes[position] : pad_token;
  }
};

/// Columns [begin, end) whose windows lie inside the text: begin and end of the interior, clipped to [low, high).
struct ColumnRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

BYTECNN_INLINE ColumnRange interior_columns(const TableStage& table, const TokenSource& source, std::int64_t low,
                                            std::int64_t high) {
  const auto stride = static_cast<std::int64_t>(table.stride);
  const auto pad = static_cast<std::int64_t>(table.pad_left);
  const std::int64_t reach = static_cast<std::int64_t>(table.dilation) * (table.kernel_size - 1);
  std::int64_t begin = (pad + stride - 1) / stride;
  const std::int64_t last_start = source.length - 1 - reach + pad;  // in padded tokens
  std::int64_t end = last_start < 0 ? 0 : last_start / stride + 1;
  if (begin < low) begin = low;
  if (end > high) end = high;
  if (begin >= end) begin = end = high;
  return {begin, end};
}

/// One column by position, any kernel, into `out` (aligned): the edges of the text.
template <class Arch>
BYTECNN_INLINE void edge_column(const TableStage& table, const TokenSource& source, std::int64_t column, float* out) {
  const std::int64_t start =
      column * static_cast<std::int64_t>(table.stride) - static_cast<std::int64_t>(table.pad_left);
  const std::size_t width = table.vectors * lanes<Arch>;
  const float* first = table.rows + source.at(start) * table.row_floats;
  for (std::size_t i = 0; i < width; i += lanes<Arch>) load<Arch>(first + i).store_aligned(out + i);
  for (std::uint32_t k = 1; k < table.kernel_size; ++k) {
    const std::size_t token = source.at(start + static_cast<std::int64_t>(k) * table.dilation);
    const float* row = table.rows + token * table.row_floats + k * width;
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      (load<Arch>(out + i) + load<Arch>(row + i)).store_aligned(out + i);
    }
  }
}

/// `count` interior columns into `out`; `window` is the first token of the first window. Kernel 0: any.
template <class Arch, std::size_t Kernel>
void interior_columns_to_memory(const TableStage& table, const unsigned char* window, std::int64_t count,
                                float* out) noexcept {
  const std::size_t kernel = Kernel == 0 ? table.kernel_size : Kernel;
  const std::size_t width = table.vectors * lanes<Arch>;
  for (std::int64_t column = 0; column < count; ++column, window += table.stride, out += width) {
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      auto sum = load<Arch>(table.rows + window[0] * std::size_t{table.row_floats} + i);
      for (std::size_t k = 1; k < kernel; ++k) {
        sum += load<Arch>(table.rows + window[k * table.dilation] * std::size_t{table.row_floats} + k * width + i);
      }
      sum.store_aligned(out + i);
    }
  }
}

/// Columns [low, high), without the epilogue, into `out`.
template <class Arch>
void table_columns(const TableStage& table, const TokenSource& source, std::int64_t low, std::int64_t high,
                   float* out) noexcept {
  const std::size_t width = table.vectors * lanes<Arch>;
  const ColumnRange interior = interior_columns(table, source, low, high);
  for (std::int64_t column = low; column < interior.begin; ++column, out += width) {
    edge_column<Arch>(table, source, column, out);
  }
  const std::int64_t count = interior.end - interior.begin;
  if (count > 0) {
    const unsigned char* window = source.bytes + interior.begin * static_cast<std::int64_t>(table.stride) -
                                  static_cast<std::int64_t>(table.pad_left);
    switch (table.kernel_size) {
      case 1:
        interior_columns_to_memory<Arch, 1>(table, window, count, out);
        break;
      case 3:
        interior_columns_to_memory<Arch, 3>(table, window, count, out);
        break;
      case 5:
        interior_columns_to_memory<Arch, 5>(table, window, count, out);
        break;
      default:
        interior_columns_to_memory<Arch, 0>(table, window, count, out);
        break;
    }
    out += static_cast<std::size_t>(count) * width;
  }
  for (std::int64_t column = interior.end; column < high; ++column, out += width) {
    edge_column<Arch>(table, source, column, out);
  }
}

}  // namespace bytecnn::kernels
