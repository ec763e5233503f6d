#include "verify/cause/wrong_numbers.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace bytecnn::exporter {
namespace {

/// A fold in another order of operations, or in float32, differs by less.
constexpr double same = 2e-6;

std::string shown(double number) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.7g", number);
  return buffer;
}

double floor_of(const std::vector<float>& numbers) {
  double largest = 0;
  for (const float number : numbers) largest = std::max(largest, std::abs(static_cast<double>(number)));
  return std::max(largest * 1e-4, std::numeric_limits<double>::min());
}

double difference(float a, float b, double floor) {
  const auto x = static_cast<double>(a);
  return std::abs(x - static_cast<double>(b)) / std::max(std::abs(x), floor);
}

/// Whether no number uses the lowest `bits` bits of its mantissa, and all are as near as that format allows.
bool rounded_to(const std::vector<float>& expected, const std::vector<float>& found, unsigned bits) {
  const double floor = floor_of(expected);
  const double step = std::ldexp(1.0, static_cast<int>(bits) - 24);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if ((std::bit_cast<std::uint32_t>(found[i]) & ((1U << bits) - 1)) != 0) return false;
    if (difference(expected[i], found[i], floor) > 2 * step) return false;
  }
  return true;
}

/// The factor that all numbers have in common, or 0.
double common_factor(const std::vector<float>& expected, const std::vector<float>& found) {
  const auto largest =
      std::max_element(expected.begin(), expected.end(), [](float a, float b) { return std::abs(a) < std::abs(b); });
  if (largest == expected.end() || *largest == 0) return 0;
  const double factor =
      static_cast<double>(found[static_cast<std::size_t>(largest - expected.begin())]) / static_cast<double>(*largest);
  const double floor = floor_of(expected);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double wanted = factor * static_cast<double>(expected[i]);
    const double size = std::max(std::abs(wanted), std::abs(factor) * floor);
    if (!(std::abs(wanted - static_cast<double>(found[i])) <= 1e-5 * size)) return 0;
  }
  return factor;
}

using Rows = std::vector<std::vector<float>>;

/// Both hold the same rows in another order, up to rounding: they are compared after sorting.
bool permuted(Rows expected, Rows found) {
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  for (std::size_t r = 0; r < expected.size(); ++r) {
    if (relative_difference(expected[r], found[r]) > same) return false;
  }
  return expected.size() > 1;
}

Rows rows_of(const std::vector<float>& numbers, std::size_t rows) {
  const std::size_t row = numbers.size() / rows;
  Rows result(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto first = numbers.begin() + static_cast<std::ptrdiff_t>(r * row);
    result[r].assign(first, first + static_cast<std::ptrdiff_t>(row));
  }
  return result;
}

Rows inputs_of(const std::vector<float>& numbers, std::size_t rows, std::size_t inner) {
  const std::size_t row = numbers.size() / rows;
  Rows result(row / inner);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < row; ++i) result[i / inner].push_back(numbers[r * row + i]);
  }
  return result;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  const auto n = static_cast<double>(a.size());
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const double spread = std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
  return spread > 0 ? (ab - sum_a * sum_b / n) / spread : 0;
}

}  // namespace

double relative_difference(const std::vector<float>& expected, const std::vector<float>& found) {
  if (expected.size() != found.size()) return std::numeric_limits<double>::infinity();
  const double floor = floor_of(expected);
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) worst = std::max(worst, difference(expected[i], found[i], floor));
  return worst;
}

WrongNumbers wrong_numbers(const NamedTensor& expected, const std::vector<float>& found) {
  const auto& right = expected.numbers;
  const std::string& name = expected.name;
  if (right.size() != found.size()) {
    return {"shape",
            name + " holds " + std::to_string(found.size()) + " numbers instead of " + std::to_string(right.size())};
  }
  if (relative_difference(right, found) <= same) return {};
  const double floor = floor_of(right);
  std::size_t wrong = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (difference(right[i], found[i], floor) <= same) continue;
    ++wrong;
    last = i;
  }
  const std::size_t row = std::max<std::size_t>(1, right.size() / std::max<std::size_t>(expected.rows, 1));
  const bool bias = name.ends_with("_bias") || name.ends_with("_shift");
  if (wrong == 1) {
    return {bias ? "single_bias" : "single_weight",
            "one number of " + name + " is wrong: number " + std::to_string(last % row) + " of row " +
                std::to_string(last / row) + " should be " + shown(right[last]) + " and is " + shown(found[last])};
  }
  constexpr unsigned half_bits = 13, bfloat_bits = 16;
  if (rounded_to(right, found, bfloat_bits)) return {"rounded_to_bfloat16", name + " was rounded to bfloat16"};
  if (rounded_to(right, found, half_bits)) return {"rounded_to_float16", name + " was rounded to float16"};
  if (const double factor = common_factor(right, found); factor != 0) {
    return {"scaled", name + " is " + shown(factor) + " times what it should be"};
  }
  if (permuted(rows_of(right, expected.rows), rows_of(found, expected.rows))) {
    return {"channels_permuted", name + " holds the right channels in another order"};
  }
  if (row > expected.inner &&
      permuted(inputs_of(right, expected.rows, expected.inner), inputs_of(found, expected.rows, expected.inner))) {
    return {"inputs_permuted", name + " takes its inputs in another order"};
  }
  const std::string count = std::to_string(wrong) + " of " + std::to_string(right.size()) + " numbers of " + name;
  if (wrong * 4 <= right.size()) return {"some_weights", count + " are wrong"};
  const double alike = correlation(right, found);
  if (alike > 0.3) {
    return {"another_epoch", count + " differ, but they are related (correlation " + shown(alike) +
                                 "): the model at another time of its training?"};
  }
  return {"unrelated_weights", count + " differ and have nothing to do with the original's (correlation " +
                                   shown(alike) + "): another model's?"};
}

}  // namespace bytecnn::exporter
