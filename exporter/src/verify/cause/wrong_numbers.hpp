#pragma once
/// What a tensor of an export has in common with the one it should be.

#include <cstddef>
#include <string>
#include <vector>

namespace bytecnn::exporter {

/// A tensor by rows: filters of a convolution, units of a dense layer, tokens of an embedding.
struct NamedTensor {
  std::string name;                   ///< "conv2_weight"
  const std::vector<float>& numbers;  ///< [rows][row]
  std::size_t rows = 1;
  std::size_t inner = 1;  ///< numbers that belong to one input channel
};

struct WrongNumbers {
  std::string trap;  ///< empty: they are the same
  std::string text;
};

/// Largest |difference|, relative to the larger of the number itself and a ten-thousandth of the tensor's largest.
/// Infinite where the sizes differ.
[[nodiscard]] double relative_difference(const std::vector<float>& expected, const std::vector<float>& found);

/// Tells a single wrong number, rounding to 16 bits, a common factor, rows or inputs in another order, weights of the
/// same model at another time, and weights that have nothing to do with it.
[[nodiscard]] WrongNumbers wrong_numbers(const NamedTensor& expected, const std::vector<float>& found);

}  // namespace bytecnn::exporter
