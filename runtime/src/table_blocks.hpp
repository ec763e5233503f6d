#pragma once
/// Tables of the models whose columns are pooled in registers, cut into blocks of filters; kernels/table_pool.hpp has
/// the layout of a row.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan.hpp"

namespace bytecnn {

/// Kernel sizes of which kernels/table_pool.hpp holds a loop of their own, for floats and for whole numbers.
inline constexpr std::array<std::uint32_t, 5> float_block_kernels = {2, 3, 4, 5, 7};
inline constexpr std::array<std::uint32_t, 1> whole_block_kernels = {3};

/// The table's kernel size where one of `written_out` fits its windows, else 0: the loop for any window.
template <std::size_t Count>
[[nodiscard]] std::uint32_t block_kernel(const TableStage& table, const std::array<std::uint32_t, Count>& written_out) {
  const bool adjacent = table.stride == 1 && table.dilation == 1 && table.pad_left < table.kernel_size;
  return adjacent && std::find(written_out.begin(), written_out.end(), table.kernel_size) != written_out.end()
             ? table.kernel_size
             : 0;
}

/// `rows` is [tokens][kernel_size][filters]; the last token is "nothing". `lanes` counts the floats of a vector, and
/// `allocate(floats)` hands out zeroed, aligned memory that lives as long as the blocks.
template <class Number, class Allocate>
[[nodiscard]] std::vector<TableBlock> cut_table(const TableStage& table, const std::vector<Number>& rows,
                                                std::size_t filters, std::size_t lanes, std::size_t most_parts,
                                                Allocate allocate) {
  const std::size_t kernel = table.kernel_size;
  const std::size_t tokens = rows.size() / filters / kernel;
  const std::size_t numbers = lanes * sizeof(float) / sizeof(Number);  // of a vector
  const std::size_t half = numbers / 2;
  const std::size_t rest = filters % numbers;
  const bool tail = table.block_kernel != 0 && shares_tails(lanes) && rest > 0 && rest <= half;
  const std::size_t vectors = filters / numbers + (rest > 0 && !tail ? 1 : 0);
  const std::size_t parts = vectors + (tail ? 1 : 0);
  const std::size_t count = (parts + most_parts - 1) / most_parts;
  const std::size_t block_parts = (parts + count - 1) / count;

  std::vector<TableBlock> blocks;
  for (std::size_t part = 0; part < parts; part += block_parts) {
    TableBlock block;
    const std::size_t mine = std::min(block_parts, parts - part);
    block.first = static_cast<std::uint32_t>(part * lanes);
    block.tail = tail && part + mine == parts;
    block.vectors = static_cast<std::uint32_t>(mine - (block.tail ? 1 : 0));
    const std::size_t first = part * numbers;
    const std::size_t width = std::size_t{block.vectors} * numbers;
    const std::size_t row_numbers = kernel * width + (block.tail ? (kernel - 1) * numbers : 0);
    float* const memory = allocate(tokens * row_numbers * sizeof(Number) / sizeof(float));
    block.rows = memory;
    auto* const packed = reinterpret_cast<Number*>(memory);
    for (std::size_t token = 0; token < tokens; ++token) {
      const Number* row = &rows[token * kernel * filters];
      Number* out = packed + token * row_numbers;
      for (std::size_t k = 0; k < kernel; ++k) {
        std::copy_n(row + k * filters + first, std::min(width, filters - first), out + k * width);
      }
      if (!block.tail) continue;
      const std::size_t tail_first = first + width;
      for (std::size_t j = 1; j < kernel; ++j) {  // [T_j | T_j-1]
        Number* at = out + kernel * width + (j - 1) * numbers;
        std::copy_n(row + j * filters + tail_first, filters - tail_first, at);
        std::copy_n(row + (j - 1) * filters + tail_first, filters - tail_first, at + half);
      }
    }
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace bytecnn
