#pragma once
/// Convolutions with stride and dilation 1 by Winograd's short algorithms (winograd.hpp).
///
/// The transform's points are taken two at a time, +-p together and 0 with infinity, and lie side by side: one 64-bit
/// broadcast feeds both, and filters x 2 fill whole vectors where filters alone would not (24 filters: 3 vectors of 16
/// lanes for two points instead of 4). A block of tiles goes through three steps, in the first-level cache:
///
///   1. input transform    columns -> U[tile][pair of points][zipped channel]    2 q + 2 stores a vector and tile
///   2. products           M[tile][pair of points][filter x 2] = U W             one matrix product a pair of points
///   3. output transform   M -> columns, or straight into the pooling            q + 1 loads, (q + 1) m / 2 + q FMAs
///
/// Bound: (outputs + kernel - 1) / outputs * inputs * filters / lanes multiply-adds a column: half of the direct
/// convolution's for F(4, 3), 2 of 5 for F(4, 5).
///
/// The sum over channels is cut into short chains (`chain_steps`): one chain of 28 channels loses 1.1e-5 of a logit at
/// worst, two of 14 lose 7e-6.

#include <cstddef>
#include <cstdint>

#include "kernels/pairs.hpp"
#include "kernels/pool_stage.hpp"
#include "kernels/products.hpp"
#include "kernels/simd.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

/// U of a tile. The coefficients stay in registers from tile to tile.
template <class Arch, std::size_t Pairs>
class InputTransform {
 public:
  using V = Floats<Arch>;

  explicit BYTECNN_INLINE InputTransform(const WinogradTransform& t) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < Pairs; ++p) {
      plus_[p] = V(t.point[p]);
      minus_[p] = V(-t.point[p]);
      ends_[p] = V(t.ends[p]);
#pragma GCC unroll 4
      for (std::size_t j = 0; j + 1 < Pairs; ++j) others_[p][j] = V(t.others[p][j]);
    }
  }

  /// U of `tiles` tiles that begin Outputs columns apart; Together vectors of channels at a time, so that what two
  /// tiles share is loaded once. `columns(i)` is a function that fills in one column after the other: its vectors from
  /// channel i on.
  template <std::size_t Outputs, std::size_t Together, class Columns>
  BYTECNN_INLINE void tiles(Columns columns, std::size_t width, std::size_t tiles, float* out) const {
    std::size_t i = 0;
    for (; i + Together * lanes<Arch> <= width; i += Together * lanes<Arch>) {
      vectors<Outputs, Together>(columns(i), width, tiles, out + 2 * i);
    }
    if constexpr (Together > 1) {
      for (; i < width; i += lanes<Arch>) vectors<Outputs, 1>(columns(i), width, tiles, out + 2 * i);
    }
  }

  /// U of one tile, whose j-th input column is `columns[j]`.
  BYTECNN_INLINE void tile(const float* const* columns, std::size_t width, float* out) const {
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      V d[points];
#pragma GCC unroll 8
      for (std::size_t j = 0; j < points; ++j) d[j] = load<Arch>(columns[j] + i);
      vector(d, width, out + 2 * i);
    }
  }

 private:
  static constexpr std::size_t points = 2 * Pairs + 2;

  template <std::size_t Outputs, std::size_t Together, class NextColumn>
  BYTECNN_INLINE void vectors(NextColumn next_column, std::size_t width, std::size_t tiles, float* to) const {
    constexpr std::size_t shared = points - Outputs;
    V d[Together][points];
    const auto read = [&](std::size_t j) __attribute__((always_inline)) {
      V column[Together];
      next_column(column);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Together; ++v) d[v][j] = column[v];
    };
#pragma GCC unroll 8
    for (std::size_t j = 0; j < shared; ++j) read(j + Outputs);
    for (std::size_t tile = 0; tile < tiles; ++tile, to += points * width) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Together; ++v) {
#pragma GCC unroll 8
        for (std::size_t j = 0; j < shared; ++j) d[v][j] = d[v][j + Outputs];
      }
#pragma GCC unroll 8
      for (std::size_t j = shared; j < points; ++j) read(j);
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Together; ++v) vector(d[v], width, to + 2 * v * lanes<Arch>);
    }
  }

  BYTECNN_INLINE void vector(const V* d, std::size_t width, float* to) const {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < Pairs; ++p, to += 2 * width) {
      V even = d[2 * Pairs];  // the leading coefficient is 1
      V odd = d[2 * Pairs - 1];
#pragma GCC unroll 4
      for (std::size_t j = 0; j + 1 < Pairs; ++j) {
        even = multiply_add<Arch>(d[2 * j + 2], others_[p][j], even);
        odd = multiply_add<Arch>(d[2 * j + 1], others_[p][j], odd);
      }
      store(to, multiply_add<Arch>(odd, plus_[p], even), multiply_add<Arch>(odd, minus_[p], even));
    }
    V zero = d[2 * Pairs];
    V infinity = d[2 * Pairs + 1];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < Pairs; ++j) {
      zero = multiply_add<Arch>(d[2 * j], ends_[j], zero);
      infinity = multiply_add<Arch>(d[2 * j + 1], ends_[j], infinity);
    }
    store(to, zero, infinity);
  }

  static BYTECNN_INLINE void store(float* to, V first, V second) {
    zip_low<Arch>(first, second).store_aligned(to);
    zip_high<Arch>(first, second).store_aligned(to + lanes<Arch>);
  }

  V plus_[Pairs], minus_[Pairs], ends_[Pairs];
  V others_[Pairs][Pairs];
};

/// One vector of pairs of one tile: outputs (0, 1) and, of four, (2, 3).
template <class Arch, std::size_t Pairs, std::size_t Outputs>
struct OutputTransform {
  using V = Floats<Arch>;

  explicit BYTECNN_INLINE OutputTransform(const WinogradTransform& t)
      : sign(pair_of<Arch>(1.0F, -1.0F)), first(pair_of<Arch>(1.0F, 0.0F)), second(pair_of<Arch>(0.0F, 1.0F)) {
#pragma GCC unroll 4
    for (std::size_t h = 0; h < Outputs / 2; ++h) {
#pragma GCC unroll 4
      for (std::size_t p = 0; p < Pairs; ++p) powers[h][p] = spread<Arch, true>(t.powers[h][p]);
    }
  }

  BYTECNN_INLINE void operator()(const float* products, std::size_t point_step, V bias, V* outputs) const {
    const V ends = load<Arch>(products + Pairs * point_step);
    if constexpr (Outputs == 2) {
      outputs[0] = bias + ends;
    } else {
      outputs[0] = multiply_add<Arch>(ends, first, bias);
      outputs[1] = multiply_add<Arch>(ends, second, bias);
    }
#pragma GCC unroll 4
    for (std::size_t p = 0; p < Pairs; ++p) {
      const V m = load<Arch>(products + p * point_step);
      const V sum_and_difference = multiply_add<Arch>(second_twice<Arch>(m), sign, first_twice<Arch>(m));
#pragma GCC unroll 4
      for (std::size_t h = 0; h < Outputs / 2; ++h) {
        outputs[h] = multiply_add<Arch>(sum_and_difference, powers[h][p], outputs[h]);
      }
    }
  }

  V sign, first, second;
  V powers[Outputs / 2][Pairs];
};

template <class Arch, std::size_t Pairs, std::size_t Outputs>
class WinogradConv {
 public:
  using V = Floats<Arch>;
  static constexpr std::size_t points = 2 * Pairs + 2;

  /// `scratch` holds U and M of `block_tiles` tiles, aligned.
  BYTECNN_INLINE WinogradConv(const ConvStage& conv, float* scratch) noexcept
      : conv_(conv),
        point_step_(conv.products.vectors * lanes<Arch>),
        tile_step_((Pairs + 1) * point_step_),
        products_(scratch),
        transformed_(scratch + conv.block_tiles * tile_step_) {}

  /// `count` columns into `output`.
  void columns(const float* input, float* output, std::size_t count) noexcept {
    for (std::size_t done = 0; done < count;) {
      const std::size_t tiles = multiply(input + done * conv_.input_floats, count - done);
      const std::size_t made = count - done < tiles * Outputs ? count - done : tiles * Outputs;
      store_columns(output + done * conv_.output_floats, made);
      done += made;
    }
  }

  /// As `columns`, with input columns that come out of `columns` (see `InputTransform::tiles`): one block at most.
  template <class Columns>
  void columns_of(Columns columns, float* output, std::size_t count) noexcept {
    multiply_columns(columns, (count + Outputs - 1) / Outputs);
    store_columns(output, count);
  }

  /// As `pool`, with input columns that come out of `columns`: one block at most, of whole tiles.
  template <class Columns>
  void pool_of(Columns columns, std::size_t tiles, Pooler<Arch>& pooler) noexcept {
    multiply_columns(columns, tiles);
    pool_tiles(tiles, pooler);
  }

  /// `count` columns, a multiple of Outputs, with relu into the pooling.
  void pool(const float* input, std::size_t count, Pooler<Arch>& pooler) noexcept {
    for (std::size_t done = 0; done < count;) {
      const std::size_t tiles = multiply(input + done * conv_.input_floats, count - done);
      pool_tiles(tiles, pooler);
      done += tiles * Outputs;
    }
  }

 private:
  /// Steps 1 and 2 for the first tiles of `count` columns; returns how many tiles.
  std::size_t multiply(const float* input, std::size_t count) noexcept {
    const std::size_t wanted = (count + Outputs - 1) / Outputs;
    const std::size_t tiles = smaller<std::size_t>(wanted, conv_.block_tiles);
    const std::size_t in_width = conv_.input_floats;
    const std::size_t available = count + conv_.kernel_size - 1;  // input columns that belong to these outputs
    const std::size_t u_step = points * in_width;
    const InputTransform<Arch, Pairs> transform(conv_.winograd);
    const std::size_t whole = available < points ? 0 : smaller((available - points) / Outputs + 1, tiles);
    const auto stored = [ input, in_width ](std::size_t i) __attribute__((always_inline)) {
      return [ column = input + i, in_width ](V(&vector)[1]) mutable __attribute__((always_inline)) {
        vector[0] = load<Arch>(column);
        column += in_width;
      };
    };
    transform.template tiles<Outputs, 1>(stored, in_width, whole, transformed_);
    for (std::size_t tile = whole; tile < tiles; ++tile) {  // one at most
      const float* columns[points];
      for (std::size_t j = 0; j < points; ++j) {
        const std::size_t column = tile * Outputs + j;
        columns[j] = column < available ? input + column * in_width : conv_.zero_column;
      }
      transform.tile(columns, in_width, transformed_ + tile * u_step);
    }
    multiply_transformed(tiles);
    return tiles;
  }

  template <class Columns>
  BYTECNN_INLINE void multiply_columns(Columns columns, std::size_t tiles) noexcept {
    const InputTransform<Arch, Pairs> transform(conv_.winograd);
    transform.template tiles<Outputs, Columns::together>(columns, conv_.input_floats, tiles, transformed_);
    multiply_transformed(tiles);
  }

  /// Step 2.
  void multiply_transformed(std::size_t tiles) noexcept {
    const std::size_t in_width = conv_.input_floats;
    ProductTask task;
    task.tile_step = points * in_width;
    task.output_step = tile_step_;
    task.offsets = conv_.products.offsets;
    task.weights = conv_.weights;
    const ProductParts pairs_of_points{Pairs + 1, 2 * in_width, point_step_};
    run_products<Arch, true>(conv_.products, task, transformed_, products_, tiles, pairs_of_points);
  }

  /// Step 3 into `count` columns, a vector of filters at a time.
  void store_columns(float* output, std::size_t count) noexcept {
    const OutputTransform<Arch, Pairs, Outputs> transform(conv_.winograd);
    const V floor = relu_floor<Arch>(conv_.relu);
    const std::size_t out_width = conv_.output_floats;
    const std::size_t vectors = conv_.products.vectors;
    for (std::size_t v = 0; v < vectors; v += 2, output += lanes<Arch>) {
      const bool both = v + 1 < vectors;
      const V bias = load<Arch>(conv_.bias + v * lanes<Arch>);
      const V next_bias = both ? load<Arch>(conv_.bias + (v + 1) * lanes<Arch>) : V(0.0F);
      const float* tile = products_ + v * lanes<Arch>;
      for (std::size_t done = 0; done < count; done += Outputs, tile += tile_step_) {
        V low[Outputs / 2];
        V high[Outputs / 2];
        transform(tile, point_step_, bias, low);
        if (both) {
          transform(tile + lanes<Arch>, point_step_, next_bias, high);
        } else {
#pragma GCC unroll 2
          for (std::size_t h = 0; h < Outputs / 2; ++h) high[h] = V(0.0F);
        }
#pragma GCC unroll 2
        for (std::size_t h = 0; h < Outputs / 2; ++h) {
          float* const column = output + (done + 2 * h) * out_width;
          if (done + 2 * h < count) xsimd::max(firsts<Arch>(low[h], high[h]), floor).store_aligned(column);
          if (done + 2 * h + 1 < count)
            xsimd::max(seconds<Arch>(low[h], high[h]), floor).store_aligned(column + out_width);
        }
      }
    }
  }

  /// Step 3 of whole tiles, whose columns are pooled and never stored: two vectors at a time, of one set of filters.
  void pool_tiles(std::size_t tiles, Pooler<Arch>& pooler) noexcept {
    const OutputTransform<Arch, Pairs, Outputs> transform(conv_.winograd);
    const std::size_t vectors = conv_.products.vectors;
    std::size_t v = 0;
    for (; v + 2 <= vectors; v += 2) pool_vectors<2>(transform, v, tiles, pooler);
    if (v < vectors) pool_vectors<1>(transform, v, tiles, pooler);
    pooler.advance(static_cast<float>(tiles * Outputs));
  }

  template <std::size_t Vectors>
  BYTECNN_INLINE void pool_vectors(const OutputTransform<Arch, Pairs, Outputs>& transform, std::size_t first,
                                   std::size_t tiles, Pooler<Arch>& pooler) noexcept {
    V bias[Vectors];
    V sums[2] = {V(0.0F), V(0.0F)};
    V maxima[2] = {V(0.0F), V(0.0F)};
#pragma GCC unroll 2
    for (std::size_t v = 0; v < Vectors; ++v) bias[v] = load<Arch>(conv_.bias + (first + v) * lanes<Arch>);
    const float* tile = products_ + first * lanes<Arch>;
    for (std::size_t t = 0; t < tiles; ++t, tile += tile_step_) {
#pragma GCC unroll 2
      for (std::size_t v = 0; v < Vectors; ++v) {
        V outputs[Outputs / 2];
        transform(tile + v * lanes<Arch>, point_step_, bias[v], outputs);
#pragma GCC unroll 2
        for (std::size_t h = 0; h < Outputs / 2; ++h) outputs[h] = positive_max<Arch>(outputs[h], V(0.0F));
        if constexpr (Outputs == 2) {
          sums[v] += outputs[0];
          maxima[v] = positive_max<Arch>(maxima[v], outputs[0]);
        } else {
          sums[v] += outputs[0] + outputs[1];
          maxima[v] = positive_max<Arch>(maxima[v], positive_max<Arch>(outputs[0], outputs[1]));
        }
      }
    }
    pooler.add_totals(first / 2 * lanes<Arch>, firsts<Arch>(sums[0], sums[1]) + seconds<Arch>(sums[0], sums[1]),
                      positive_max<Arch>(firsts<Arch>(maxima[0], maxima[1]), seconds<Arch>(maxima[0], maxima[1])),
                      V(0.0F), static_cast<float>(tiles * Outputs));
  }

  const ConvStage& conv_;
  std::size_t point_step_;  ///< floats of M from one pair of points to the next
  std::size_t tile_step_;   ///< floats of M from tile to tile
  float* products_;         ///< M
  float* transformed_;      ///< U
};

/// Calls `use` with the convolution of the stage's transform.
template <class Arch, class Use>
BYTECNN_INLINE void with_winograd(const ConvStage& conv, float* scratch, Use use) {
  if (conv.winograd.outputs == 4) {
    if (conv.winograd.pairs == 2) return use(WinogradConv<Arch, 2, 4>(conv, scratch));
    return use(WinogradConv<Arch, 3, 4>(conv, scratch));
  }
  if (conv.winograd.pairs == 1) return use(WinogradConv<Arch, 1, 2>(conv, scratch));
  return use(WinogradConv<Arch, 2, 2>(conv, scratch));
}

}  // namespace bytecnn::kernels
