#pragma once
/// Embedding and first convolution by table look-up.
///
/// A column is the sum of one row a tap: kernel_size row loads and as many additions (the first row needs none), for
/// every vector of filters. Interior windows take their tokens straight from the input; windows that touch the end of
/// the text or a border look every token up by its position.

#include <cstddef>
#include <cstdint>

#include "kernels/activations.hpp"
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

/// a / b for b >= 1, mostly 1: a division takes as long as several windows. (Where the condition said b == 1, GCC would
/// divide all the same.)
BYTECNN_INLINE std::int64_t divide(std::int64_t a, std::int64_t b) {
  return b < 2 ? a : a / b;
}

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

/// `count` interior columns into `out`; `window` is the first token of the first window. Kernel 0: any, up to the
/// longest that a plan folds into tables.
template <class Arch, std::size_t Kernel>
void interior_columns_to_memory(const TableStage& table, const unsigned char* window, std::int64_t count,
                                float* out) noexcept {
  using V = Floats<Arch>;
  const V floor = relu_floor<Arch>(table.epilogue.activation == Activation::Kind::relu);
  const std::size_t kernel = Kernel == 0 ? table.kernel_size : Kernel;
  const std::size_t width = table.vectors * lanes<Arch>;
  for (std::int64_t column = 0; column < count; ++column, window += table.stride, out += width) {
    // Rows are looked up once a column where the kernel is known, else once a vector.
    const float* rows[Kernel == 0 ? 1 : Kernel];
    const auto row = [&](std::size_t k) {
      return table.rows + window[k * table.dilation] * std::size_t{table.row_floats} + k * width;
    };
    if constexpr (Kernel != 0) {
#pragma GCC unroll 8
      for (std::size_t k = 0; k < Kernel; ++k) rows[k] = row(k);
    }
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      V sum = load<Arch>((Kernel == 0 ? row(0) : rows[0]) + i);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < kernel; ++k) sum += load<Arch>((Kernel == 0 ? row(k) : rows[k]) + i);
      xsimd::max(sum, floor).store_aligned(out + i);
    }
  }
}

/// The same for windows of adjacent tokens that move by one, and columns of few vectors: a token's row is looked up
/// once and serves Kernel columns. Cost: Kernel * Vectors row loads and Vectors stores a column.
template <class Arch, std::size_t Kernel, std::size_t Vectors, class Token>
void adjacent_columns_to_memory(const TableStage& table, const Token* window, std::int64_t count, float* out) noexcept {
  using V = Floats<Arch>;
  const V floor = relu_floor<Arch>(table.epilogue.activation == Activation::Kind::relu);
  constexpr std::size_t width = Vectors * lanes<Arch>;
  const float* const table_rows = table.rows;
  const std::size_t row_floats = table.row_floats;
  const float* rows[Kernel];
#pragma GCC unroll 8
  for (std::size_t k = 1; k < Kernel; ++k) rows[k] = table_rows + window[k - 1] * row_floats;
  for (std::int64_t column = 0; column < count; ++column, out += width) {
#pragma GCC unroll 8
    for (std::size_t k = 1; k < Kernel; ++k) rows[k - 1] = rows[k];
    rows[Kernel - 1] = table_rows + window[static_cast<std::size_t>(column) + Kernel - 1] * row_floats;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < Vectors; ++v) {
      V sum = load<Arch>(rows[0] + v * lanes<Arch>);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Kernel; ++k) sum += load<Arch>(rows[k] + k * width + v * lanes<Arch>);
      xsimd::max(sum, floor).store_aligned(out + v * lanes<Arch>);
    }
  }
}

/// Whether `adjacent_columns` serves this table.
BYTECNN_INLINE bool has_adjacent_columns(const TableStage& table) {
  return table.stride == 1 && table.dilation == 1 && table.vectors <= 4 &&
         (table.kernel_size == 3 || table.kernel_size == 5);
}

template <class Arch, std::size_t Kernel, class Token>
void adjacent_columns_of_kernel(const TableStage& table, const Token* window, std::int64_t count, float* out) noexcept {
  switch (table.vectors) {
    case 1:
      return adjacent_columns_to_memory<Arch, Kernel, 1>(table, window, count, out);
    case 2:
      return adjacent_columns_to_memory<Arch, Kernel, 2>(table, window, count, out);
    case 3:
      return adjacent_columns_to_memory<Arch, Kernel, 3>(table, window, count, out);
    default:
      return adjacent_columns_to_memory<Arch, Kernel, 4>(table, window, count, out);
  }
}

/// `count` columns whose tokens begin at `window`, one after the other.
template <class Arch, class Token>
void adjacent_columns(const TableStage& table, const Token* window, std::int64_t count, float* out) noexcept {
  if (table.kernel_size == 3) return adjacent_columns_of_kernel<Arch, 3>(table, window, count, out);
  return adjacent_columns_of_kernel<Arch, 5>(table, window, count, out);
}

template <class Arch>
void interior_table_columns(const TableStage& table, const unsigned char* window, std::int64_t count,
                            float* out) noexcept {
  if (has_adjacent_columns(table)) return adjacent_columns<Arch>(table, window, count, out);
  switch (table.kernel_size) {
    case 1:
      return interior_columns_to_memory<Arch, 1>(table, window, count, out);
    case 3:
      return interior_columns_to_memory<Arch, 3>(table, window, count, out);
    case 5:
      return interior_columns_to_memory<Arch, 5>(table, window, count, out);
    default:
      return interior_columns_to_memory<Arch, 0>(table, window, count, out);
  }
}

/// The columns [begin, end) at the edges of the text, whose tokens are looked up one by one.
template <class Arch>
void edge_columns(const TableStage& table, const TokenSource& source, std::int64_t begin, std::int64_t end,
                  float* out) noexcept {
  constexpr std::int64_t most_tokens = 64;
  const std::size_t width = table.vectors * lanes<Arch>;
  if (has_adjacent_columns(table)) {
    std::uint32_t tokens[most_tokens];
    const std::int64_t reach = static_cast<std::int64_t>(table.kernel_size) - 1;
    while (begin < end) {
      const std::int64_t count = smaller(end - begin, most_tokens - reach);
      const std::int64_t first = begin - static_cast<std::int64_t>(table.pad_left);
      for (std::int64_t i = 0; i < count + reach; ++i) tokens[i] = static_cast<std::uint32_t>(source.at(first + i));
      adjacent_columns<Arch>(table, tokens, count, out);
      begin += count;
      out += static_cast<std::size_t>(count) * width;
    }
    return;
  }
  for (std::int64_t column = begin; column < end; ++column, out += width) {
    edge_column<Arch>(table, source, column, out);
    if (table.epilogue.activation == Activation::Kind::relu) {
      activate<Arch>(out, table.vectors, Activation::Kind::relu, 0.0F);
    }
  }
}

/// Columns [low, high) into `out`: sums, with relu already applied where that is the stage's activation.
template <class Arch>
void table_columns(const TableStage& table, const TokenSource& source, std::int64_t low, std::int64_t high,
                   float* out) noexcept {
  const std::size_t width = table.vectors * lanes<Arch>;
  const ColumnRange interior = interior_columns(table, source, low, high);
  edge_columns<Arch>(table, source, low, interior.begin, out);
  out += static_cast<std::size_t>(interior.begin - low) * width;
  const std::int64_t count = interior.end - interior.begin;
  if (count > 0) {
    const unsigned char* window = source.bytes + interior.begin * static_cast<std::int64_t>(table.stride) -
                                  static_cast<std::int64_t>(table.pad_left);
    interior_table_columns<Arch>(table, window, count, out);
    out += static_cast<std::size_t>(count) * width;
  }
  edge_columns<Arch>(table, source, interior.end, high, out);
}

}  // namespace bytecnn::kernels
