#pragma once
/// The first two convolutions by windows of the first (see `TrigramStage` in plan.hpp), for bulk calls.
///
///   tokens -> keys of windows -> entries: out of the table, or computed where the table lacks them
///          -> second layer's column p = entry[p] tap 0 + entry[p + 1] tap 1 + ...  -> relu, pooled in registers
///                                                                                 or -> columns for the next layer
///
/// Cost a position: one look-up (about 12 scalar operations without a branch), and for every vector of filters `taps`
/// loads and taps - 1 additions, as table_pool.hpp has it for tokens; half a vector is shared by two positions. A
/// window that the table lacks costs the second layer's multiply-adds, once a tile: repeated misses are found. A tile
/// holds a part of a text or several whole ones.
///
/// A column's sums are in the order of its taps and its place in the text alone, so results are the same bits whatever
/// the table holds.

#include <cstddef>
#include <cstdint>

#include "kernels/conv_stage.hpp"
#include "kernels/epilogue.hpp"
#include "kernels/pool_stage.hpp"
#include "kernels/simd.hpp"
#include "kernels/table_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

template <class Arch>
class Trigrams {
 public:
  using V = Floats<Arch>;

  Trigrams(const Plan& plan, float* working) noexcept
      : stage_(*plan.trigrams),
        table_(plan.trigram_table),
        rows_(reinterpret_cast<const float**>(working + stage_.rows_offset)),
        keys_(reinterpret_cast<std::uint32_t*>(working + stage_.keys_offset)),
        missed_(reinterpret_cast<std::uint32_t*>(working + stage_.missed_offset)),
        seen_(reinterpret_cast<std::uint16_t*>(working + stage_.seen_offset)),
        columns_(working + stage_.columns_offset),
        computed_(working + stage_.entries_offset) {}

  // A tile is made by clearing it, adding the windows of a part of a text or of several whole ones, computing what the
  // table lacks for all of them (so that the products fill their register blocks), and pooling one after the other.
  // Each step is compiled once: inlined, or cloned for a constant argument, they would be ten kilobytes more of the
  // library.

  /// Whether the windows of `count` more columns fit beside those that were added.
  [[nodiscard]] bool takes(std::int64_t count) const noexcept {
    return added_ + count + stage_.taps - 1 <= stage_.tile_columns + stage_.taps;
  }
  void clear() noexcept {
    added_ = 0;
    misses_ = 0;
  }
  /// Adds the windows of the second layer's columns [low, low + count); returns the place of the first.
  BYTECNN_ONCE std::int64_t add(const TokenSource& source, std::int64_t low, std::int64_t count) noexcept {
    const TableStage& first = stage_.first;
    const std::int64_t reach = static_cast<std::int64_t>(first.kernel_size) - 1;
    const std::int64_t columns = source.tokens + first.pad_left + first.pad_right - reach;
    const std::int64_t begin = low - stage_.pad_left;
    const std::int64_t end = begin + count + stage_.taps - 1;
    const std::int64_t real_begin = begin < 0 ? 0 : begin;
    const std::int64_t real_end = end < columns ? end : columns;
    const std::int64_t place = added_;
    for (std::int64_t c = begin; c < real_begin; ++c) rows_[added_++] = stage_.zero_entry;
    if (real_begin < real_end) {
      make_keys(source, real_begin - first.pad_left, static_cast<std::size_t>(real_end - real_begin));
      look_up(static_cast<std::size_t>(real_end - real_begin));
    }
    while (added_ < place + (end - begin)) rows_[added_++] = stage_.zero_entry;
    return place;
  }
  /// Computes what the table lacks, every window once.
  BYTECNN_ONCE void compute_missing() noexcept {
    if (misses_ == 0) return;
    for (std::size_t i = 0; i < TrigramStage::seen_slots; i += 2 * lanes<Arch>) {
      V(0.0F).store_aligned(reinterpret_cast<float*>(seen_ + i));
    }
    std::size_t different = 0;
    for (std::size_t m = 0; m < misses_; ++m) {
      const std::uint32_t place = missed_[m];
      const std::uint32_t key = keys_[place];
      std::uint16_t& seen = seen_[(key * TrigramTable::multiplier) >> TrigramStage::seen_shift];
      // missed_ is read ahead of where the keys are kept.
      std::size_t entry = seen;
      if (entry >= different || missed_[entry] != key) {
        entry = different++;
        seen = static_cast<std::uint16_t>(entry);
        missed_[entry] = key;
      }
      rows_[place] = computed_ + entry * stage_.entry_floats;
    }
    make_entries(missed_, different, computed_);
  }
  /// Pools `count` columns whose windows stand at `place`, after `compute_missing`.
  BYTECNN_ONCE void pool_found(std::int64_t place, std::int64_t count, Pooler<Arch>& pooler) noexcept {
    for (std::int64_t done = 0; done < count; done += sum_columns) {
      const std::int64_t part = count - done < sum_columns ? count - done : sum_columns;
      if (stage_.taps == 3) {
        pool_part<3>(rows_ + place + done, part, pooler);
      } else {
        pool_part<5>(rows_ + place + done, part, pooler);
      }
    }
  }

  /// Pools columns [0, high), of a text whose windows do not fit at once.
  void pool(const TokenSource& source, std::int64_t high, Pooler<Arch>& pooler) noexcept {
    for (std::int64_t low = 0; low < high; low += stage_.tile_columns) {
      const std::int64_t count = high - low < stage_.tile_columns ? high - low : stage_.tile_columns;
      find_entries(source, low, count);
      pool_found(0, count, pooler);
    }
  }

  /// Columns [low, high) of the second layer into `out`.
  void columns(const TokenSource& source, std::int64_t low, std::int64_t high, float* out) noexcept {
    const std::size_t width = stage_.vectors * lanes<Arch>;
    for (std::int64_t first = low; first < high; first += stage_.tile_columns) {
      const std::int64_t count = high - first < stage_.tile_columns ? high - first : stage_.tile_columns;
      find_entries(source, first, count);
      for (std::int64_t p = 0; p < count; ++p) {
        for (std::size_t i = 0; i < width; i += lanes<Arch>) {
          V x = load<Arch>(rows_[p] + i);
          for (std::uint32_t k = 1; k < stage_.taps; ++k) x += load<Arch>(rows_[p + k] + k * width + i);
          x.store_aligned(out + static_cast<std::size_t>(p) * width + i);
        }
      }
      apply_epilogue<Arch>(stage_.epilogue, false, out, static_cast<std::size_t>(count), stage_.vectors, nullptr, 0);
      out += static_cast<std::size_t>(count) * width;
    }
  }

  /// Entries of `count` windows by their keys, into [count][entry_floats].
  void make_entries(const std::uint32_t* keys, std::size_t count, float* out) noexcept {
    const TableStage& first = stage_.first;
    const std::size_t width = first.vectors * lanes<Arch>;
    for (std::size_t done = 0; done < count; done += TrigramStage::block_columns) {
      const std::size_t part = count - done < TrigramStage::block_columns ? count - done : TrigramStage::block_columns;
      for (std::size_t i = 0; i < part; ++i) first_column(keys[done + i], columns_ + i * width);
      apply_epilogue<Arch>(first.epilogue, false, columns_, part, first.vectors, nullptr, 0);
      direct_conv<Arch>(stage_.product, columns_, out + done * stage_.entry_floats, part);
    }
  }

 private:
  static constexpr std::uint32_t token_mask = (1U << TrigramTable::key_token_bits) - 1;

  /// The first layer's column of a window; as in table_stage.hpp, but that tokens come in a key.
  void first_column(std::uint32_t key, float* out) noexcept {
    const TableStage& first = stage_.first;
    const std::size_t width = first.vectors * lanes<Arch>;
    // Three rows whatever the kernel: those of taps that it lacks are not read.
    const float* rows[3];
    for (std::size_t k = 0; k < 3; ++k, key >>= TrigramTable::key_token_bits) {
      rows[k] = first.rows + (key & token_mask) * std::size_t{first.row_floats} + k * width;
    }
    for (std::size_t i = 0; i < width; i += lanes<Arch>) {
      V x = load<Arch>(rows[0] + i);
      if (first.kernel_size > 1) x += load<Arch>(rows[1] + i);
      if (first.kernel_size > 2) x += load<Arch>(rows[2] + i);
      x.store_aligned(out + i);
    }
  }

  /// rows_[i] becomes the entry of the first layer's column low - pad_left + i, for `count` columns of the second.
  void find_entries(const TokenSource& source, std::int64_t low, std::int64_t count) noexcept {
    clear();
    add(source, low, count);
    compute_missing();
  }

  /// Keys of `count` windows, of which the first begins at token `start`.
  void make_keys(const TokenSource& source, std::int64_t start, std::size_t count) noexcept {
    std::uint32_t* const keys = keys_ + added_;
    const std::size_t kernel = stage_.first.kernel_size;
    const std::int64_t tokens = static_cast<std::int64_t>(count + kernel) - 1;
    // Behind the last key, so that the tokens are not overwritten before they are read: keys grow upwards.
    const std::int64_t inside_begin = start < 0 ? smaller_of(-start, tokens) : 0;
    const std::int64_t inside_end = source.length - start < tokens ? source.length - start : tokens;
    std::int64_t i = 0;
    for (; i < inside_begin; ++i) keys[i] = static_cast<std::uint32_t>(source.at(start + i));
    const unsigned char* const bytes = source.bytes + start;
    for (; i < inside_end; ++i) keys[i] = bytes[i];
    for (; i < tokens; ++i) keys[i] = static_cast<std::uint32_t>(source.at(start + i));
    constexpr std::uint32_t bits = TrigramTable::key_token_bits;
    switch (kernel) {
      case 3:
        for (std::size_t c = 0; c < count; ++c) keys[c] |= keys[c + 1] << bits | keys[c + 2] << 2 * bits;
        break;
      case 2:
        for (std::size_t c = 0; c < count; ++c) keys[c] |= keys[c + 1] << bits;
        break;
      default:
        break;
    }
  }

  static BYTECNN_INLINE std::int64_t smaller_of(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

  /// Entries of the next `count` windows that the table holds, and the places of those that it lacks. No branch depends
  /// on a hit: a quarter of the windows of a text are not in the table, and nobody can predict which.
  void look_up(std::size_t count) noexcept {
    constexpr std::uint32_t key_mask = (1U << TrigramTable::key_bits) - 1;
    const std::uint32_t shift = table_->shift;
    const std::uint32_t rest_mask = (1U << shift) - 1;
    const std::uint32_t* const slots = table_->slots;
    const std::uint32_t* const keys = keys_;
    std::uint32_t* const missed = missed_;
    // As numbers, for the place of a window that is not there points behind the entries. It is not read.
    const auto entries = reinterpret_cast<std::uintptr_t>(table_->entries);
    const std::uintptr_t entry_bytes = stage_.entry_floats * sizeof(float);
    const float** const rows = rows_;
    const auto begin = static_cast<std::size_t>(added_);
    std::size_t misses = misses_;
    for (std::size_t i = begin; i < begin + count; ++i) {
      const std::uint32_t product = (keys[i] * TrigramTable::multiplier) & key_mask;
      const std::uint32_t slot = slots[product >> shift];
      rows[i] = reinterpret_cast<const float*>(entries + (slot & 0xFFFFU) * entry_bytes);
      missed[misses] = static_cast<std::uint32_t>(i);
      misses += static_cast<std::size_t>(slot >> 16U != (product & rest_mask));
    }
    misses_ = misses;
    added_ += static_cast<std::int64_t>(count);
  }

  /// Pools `count` columns, at most `sum_columns`, of which the first begins at `rows`.
  template <std::size_t Taps>
  void pool_part(const float* const* rows, std::int64_t count, Pooler<Arch>& pooler) noexcept {
    for (std::size_t v = 0; v < stage_.vectors; ++v) pool_vector<Taps>(rows, count, v * lanes<Arch>, pooler);
    if (stage_.tail) pool_tail<Taps>(rows, count, pooler);
    pooler.advance(static_cast<float>(count));
  }

  template <std::size_t Taps>
  void pool_vector(const float* const* rows, std::int64_t count, std::size_t at, Pooler<Arch>& pooler) noexcept {
    const std::size_t width = stage_.vectors * lanes<Arch>;
    const auto column = [&](const float* const* window) {
      V x = load<Arch>(window[0] + at);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Taps; ++k) x += load<Arch>(window[k] + k * width + at);
      return positive_max<Arch>(x, V(0.0F));
    };
    // Two chains each, or the additions' latency would be the bound.
    V sums[2] = {V(0.0F), V(0.0F)};
    V maxima[2] = {V(0.0F), V(0.0F)};
    std::int64_t p = 0;
    for (; p + 2 <= count; p += 2) {
#pragma GCC unroll 2
      for (std::int64_t i = 0; i < 2; ++i) {
        const V x = column(rows + p + i);
        sums[i] += x;
        maxima[i] = positive_max<Arch>(maxima[i], x);
      }
    }
    if (p < count) {
      const V x = column(rows + p);
      sums[0] += x;
      maxima[0] = positive_max<Arch>(maxima[0], x);
    }
    pooler.add_totals(at, sums[0] + sums[1], positive_max<Arch>(maxima[0], maxima[1]), V(0.0F),
                      static_cast<float>(count));
  }

  /// The half vector behind the others, two positions at once.
  template <std::size_t Taps>
  void pool_tail(const float* const* rows, std::int64_t count, Pooler<Arch>& pooler) noexcept {
    constexpr std::size_t half = lanes<Arch> / 2;
    alignas(64) static constexpr float zeros[lanes<Arch>] = {};
    const std::size_t tails = Taps * stage_.vectors * lanes<Arch>;
    const auto tail = [tails](const float* row, std::size_t k) { return row + tails + (k - 1) * lanes<Arch>; };
    V sum(0.0F);
    V maximum(0.0F);
    const auto add = [&](V x) {
      x = positive_max<Arch>(x, V(0.0F));
      sum += x;
      maximum = positive_max<Arch>(maximum, x);
    };
    std::int64_t p = 0;
    for (; p + 2 <= count; p += 2, rows += 2) {
      V x = load_halves<Arch>(tail(rows[0], 1) + half, tail(rows[Taps], Taps - 1));
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Taps; ++k) x += load<Arch>(tail(rows[k], k));
      add(x);
    }
    if (p < count) {
      V x = load_halves<Arch>(tail(rows[0], 1) + half, zeros);
#pragma GCC unroll 8
      for (std::size_t k = 1; k < Taps; ++k) x += load_halves<Arch>(tail(rows[k], k), zeros);
      add(x);
    }
    pooler.add_totals(stage_.vectors * lanes<Arch>, sum + swap_halves<Arch>(sum),
                      positive_max<Arch>(maximum, swap_halves<Arch>(maximum)), V(0.0F), static_cast<float>(count));
  }

  const TrigramStage& stage_;
  const TrigramTable* table_;
  const float** rows_;
  std::uint32_t* keys_;
  std::uint32_t* missed_;
  std::uint16_t* seen_;
  float* columns_;
  float* computed_;
  std::int64_t added_ = 0;  ///< windows
  std::size_t misses_ = 0;
};

}  // namespace bytecnn::kernels
