#pragma once
/// Convolutions whose taps share what is loaded, a vector of filters after the other. Its lanes may belong to several
/// groups, which lie side by side, down to one channel each (depthwise).
///
///   sums[column][lane] += weights[tap][step][lane] * input[column + tap][channel of the lane in the step]
///
/// A step is one input channel of every group. Lanes of one group take it by broadcast. Lanes of several groups load a
/// vector and permute its numbers, so that each lane finds its group's; where the vector of filters begins one more
/// group, whose channels lie too far away for that, its lanes take a broadcast besides. All this is done once an input
/// column: the taps of a run, whose inputs lie as far apart as columns do, add it to as many sums in registers. Under
/// dilation columns are taken that much apart.
///
/// Bound for `Columns` sums of a vector and a run of taps: Columns * taps multiply-adds at two a cycle. The loads are
/// (Columns + taps - 1), at two a cycle, or one where they cross a cache line. As many permutations; they can go to one
/// of the multipliers and to another port, and go to each half of the time, so each costs a quarter of a cycle.

#include <cstddef>
#include <cstdint>

#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// result[i] = x[index[i] mod lanes]
template <class Arch>
BYTECNN_INLINE Floats<Arch> permute(Floats<Arch> x, xsimd::batch<std::int32_t, Arch> index) {
#if XSIMD_WITH_AVX512BW
  if constexpr (std::is_same_v<Arch, xsimd::avx512bw>) return Floats<Arch>(_mm512_permutexvar_ps(index, x));
#endif
#if XSIMD_WITH_FMA3_AVX2
  if constexpr (std::is_same_v<Arch, xsimd::fma3<xsimd::avx2>>) return Floats<Arch>(_mm256_permutevar8x32_ps(x, index));
#endif
  return x;  // shorter vectors take their inputs in order only
}

struct LanewiseTask {
  std::size_t kernel_size = 0, run_taps = 0, steps = 0;
  std::size_t tap_step = 0;     ///< floats from tap to tap of the input
  std::size_t column_step = 0;  ///< floats from column to column of the input
  std::size_t output_step = 0;
  const LaneSource* source = nullptr;
  const float* weights = nullptr;
  const float* bias = nullptr;
  bool relu = false;
};

/// `pointer` goes on by a step that the compiler may not multiply out: a dozen multiples of it would leave no register.
template <class Pointer>
BYTECNN_INLINE void go_on(Pointer& pointer, std::size_t step) {
  pointer += step;
  asm("" : "+r"(pointer));
}

template <class Arch, LaneInputs inputs>
struct LaneReader {
  using V = Floats<Arch>;
  using Index = xsimd::batch<std::int32_t, Arch>;
  static constexpr bool one_step = inputs == LaneInputs::in_order;
  static constexpr bool permutes = inputs == LaneInputs::permuted || inputs == LaneInputs::permuted_and_one;
  static constexpr bool one_more = inputs == LaneInputs::permuted_and_one;

  explicit LaneReader(const LaneSource& source) : source_(source) {}

  /// Adds the products of a run of taps, whose input begins at `x`, to the sums; returns the weights behind it.
  template <std::size_t Taps, std::size_t Columns>
  BYTECNN_INLINE const float* add_taps(const float* x, const float* weights, std::size_t steps, std::size_t column_step,
                                       V (&sums)[Columns]) const {
    const float* y = x + (one_more ? source_.second : 0);
    x += source_.first;
    Index index;
    if constexpr (permutes) index = Index::load_aligned(source_.index);
    for (;;) {
      V w[Taps];
      unrolled<Taps>([&](auto k) __attribute__((always_inline)) { w[k] = load<Arch>(weights + k * lanes<Arch>); });
      weights += Taps * lanes<Arch>;
      const float* column_x = x;
      const float* column_y = y;
      unrolled<Columns + Taps - 1>([&](auto j) __attribute__((always_inline)) {
        V values = inputs == LaneInputs::broadcast ? V(*column_x) : load_unaligned<Arch>(column_x);
        go_on(column_x, column_step);
        if constexpr (permutes) values = permute<Arch>(values, index);
        if constexpr (one_more) {
          values = xsimd::select(load<Arch>(source_.second_lanes) > V(0.0F), V(*column_y), values);
          go_on(column_y, column_step);
        }
        unrolled<Taps>([&](auto k) __attribute__((always_inline)) {
          if constexpr (j >= k && j - k < Columns) sums[j - k] = multiply_add<Arch>(w[k], values, sums[j - k]);
        });
      });
      if (one_step || --steps == 0) return weights;
      x += permutes ? source_.advance : 1;
      ++y;
      if constexpr (permutes) index = index + Index(static_cast<std::int32_t>(source_.turn));
    }
  }

 private:
  const LaneSource& source_;
};

/// `count` columns of one vector of filters, a block's or more. The last block may compute some once more, to the same
/// bits.
template <class Arch, LaneInputs inputs>
__attribute__((noinline)) void lanewise_columns(const LanewiseTask& task, const float* input, float* output,
                                                std::size_t count) noexcept {
  using V = Floats<Arch>;
  constexpr std::size_t most = lanewise_block_columns(registers<Arch>);
  const LaneReader<Arch, inputs> reader(*task.source);
  const std::size_t column_step = task.column_step;
  const std::size_t tap_step = task.tap_step;
  const std::size_t run_taps = task.run_taps;
  const std::size_t output_step = task.output_step;
  for (;;) {
    V sums[most];
    const V bias = load<Arch>(task.bias);
    unrolled<most>([&](auto c) __attribute__((always_inline)) { sums[c] = bias; });
    const float* weights = task.weights;
    const float* x = input;
    std::size_t left = task.kernel_size;
    for (;;) {
      const std::size_t taps = lanewise_taps(run_taps, left);
      if (taps == most_run_taps) {
        weights = reader.template add_taps<most_run_taps>(x, weights, task.steps, column_step, sums);
      } else {
        weights = reader.template add_taps<1>(x, weights, task.steps, column_step, sums);
      }
      left -= taps;
      if (left == 0) break;
      x += taps * tap_step;
    }
    if (task.relu) {
      unrolled<most>([&](auto c) __attribute__((always_inline)) { sums[c] = positive_max<Arch>(sums[c], V(0.0F)); });
    }
    float* out = output;
    unrolled<most>([&](auto c) __attribute__((always_inline)) {
      sums[c].store_aligned(out);
      go_on(out, output_step);
    });
    if (count == most) return;
    const std::size_t done = smaller(most, count - most);
    count -= done;
    input += done * column_step;
    output += done * output_step;
  }
}

template <class Arch>
BYTECNN_INLINE void lanewise_columns(const LanewiseTask& task, const float* input, float* output,
                                     std::size_t count) noexcept {
  if constexpr (lanes<Arch> >= 8) {  // lay_out_lanewise knows
    switch (task.source->inputs) {
      case LaneInputs::broadcast:
        return lanewise_columns<Arch, LaneInputs::broadcast>(task, input, output, count);
      case LaneInputs::permuted:
        return lanewise_columns<Arch, LaneInputs::permuted>(task, input, output, count);
      case LaneInputs::permuted_and_one:
        return lanewise_columns<Arch, LaneInputs::permuted_and_one>(task, input, output, count);
      case LaneInputs::in_order:
        break;
    }
  }
  lanewise_columns<Arch, LaneInputs::in_order>(task, input, output, count);
}

template <class Arch>
void lanewise_conv(const ConvStage& conv, const float* input, float* output, std::size_t count) noexcept {
  constexpr std::size_t most = lanewise_block_columns(registers<Arch>);
  const LanewiseStage& stage = conv.lanewise;
  const std::size_t column_step = std::size_t{conv.stride} * conv.input_floats;
  const std::size_t output_step = std::size_t{stage.spacing} * conv.output_floats;
  LanewiseTask task;
  task.kernel_size = conv.kernel_size;
  task.run_taps = stage.run_taps;
  task.steps = stage.steps;
  task.tap_step = std::size_t{conv.dilation} * conv.input_floats;
  task.column_step = stage.spacing * column_step;
  task.source = stage.sources;
  task.weights = conv.weights;
  task.bias = conv.bias;
  task.relu = conv.relu;
  for (std::size_t v = 0; v < conv.output_floats; v += lanes<Arch>) {
    for (std::size_t first = 0; first < stage.spacing && first < count; ++first) {
      const float* const x = input + first * column_step;
      float* out = output + first * conv.output_floats + v;
      // A block for fewer columns goes elsewhere; the input buffer has room for all of them.
      alignas(64) float block[most * lanes<Arch>];
      const bool whole = count >= first + (most - 1) * stage.spacing + 1;
      task.output_step = whole ? output_step : lanes<Arch>;
      lanewise_columns<Arch>(task, x, whole ? out : block, whole ? (count - first - 1) / stage.spacing + 1 : most);
      if (whole) continue;
      const float* next = block;
#pragma GCC unroll 1
      for (std::size_t done = first; done < count; done += stage.spacing) {
        load<Arch>(next).store_aligned(out);
        next += lanes<Arch>;
        out += output_step;
      }
    }
    task.weights += stage.steps * conv.kernel_size * lanes<Arch>;
    task.bias += lanes<Arch>;
    ++task.source;
  }
}

}  // namespace bytecnn::kernels
