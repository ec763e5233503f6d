#pragma once
/// One classification, start to end.
///
/// Every conv stage has a sliding buffer of input columns. A round makes as many table columns as fit, then every stage
/// turns what it has into what the next one needs, and the last columns are pooled. With padding, only the columns that
/// see the text are computed; the rest (`PadRun`) is known.

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/conv_stage.hpp"
#include "kernels/dense_batch.hpp"
#include "kernels/dense_stage.hpp"
#include "kernels/epilogue.hpp"
#include "kernels/kernel_table.hpp"
#include "kernels/lanewise_stage.hpp"
#include "kernels/pool_stage.hpp"
#include "kernels/simd.hpp"
#include "kernels/table_pool.hpp"
#include "kernels/table_stage.hpp"
#include "kernels/table_winograd.hpp"
#include "kernels/trigram_stage.hpp"
#include "kernels/winograd_stage.hpp"
#include "plan.hpp"

namespace bytecnn::kernels {

template <class Arch>
class Pipeline {
 public:
  Pipeline(const Plan& plan, const TokenSource& source, float* working) noexcept
      : plan_(plan),
        source_(source),
        working_(working),
        states_(reinterpret_cast<StageState*>(working + plan.state_offset)),
        pooler_(plan.pool, working + plan.pool_offset) {}

  /// Pools all columns and writes the features.
  void run(float* features) noexcept {
    const std::int64_t pooled = count_columns();
    float* tile = working_ + plan_.tile_offset;
    pooler_.start();
    if (plan_.table_into_tiles) {
      pool_table_winograd<Arch>(plan_, source_, working_, pooled, pooler_);
    } else if (plan_.conv_count == 0) {
      for (std::int64_t done = 0; done < pooled;) {
        const std::int64_t count = smaller<std::int64_t>(pooled - done, plan_.tile_columns);
        make_table_columns(done, done + count, tile);
        pooler_.add_columns(tile, count);
        done += count;
      }
    } else {
      run_convs(pooled, tile);
    }
    if (repeats_ > 0) pooler_.add_pad_run(plan_.pool.pad_run, repeats_);
    pooler_.finish(features);
  }

  /// How many columns are pooled, and how often the pad run's constant one counts.
  [[nodiscard]] ColumnCounts counts() noexcept {
    const std::int64_t windows = count_columns();
    return {windows, repeats_};
  }

 private:
  [[nodiscard]] const ConvStage& conv(std::uint32_t s) const { return plan_.convs[s]; }
  [[nodiscard]] StageState& state(std::uint32_t s) const { return states_[s]; }
  [[nodiscard]] static std::int64_t reach(const ConvStage& c) { return c.reach(); }

  /// How many columns each stage has to compute; returns how many are pooled. Sets `repeats_`.
  std::int64_t count_columns() noexcept {
    // The lengths of all stages' outputs without any short cut.
    const TableStage& table = plan_.table;
    const std::int64_t table_reach = static_cast<std::int64_t>(table.dilation) * (table.kernel_size - 1);
    std::int64_t length = divide(source_.tokens + table.pad_left + table.pad_right - table_reach - 1, table.stride) + 1;
    table_columns_ = length;
    for (std::uint32_t s = 0; s < plan_.conv_count; ++s) {
      state(s) = StageState{};
      state(s).inputs = length;
      length = divide(length + conv(s).pad_left + conv(s).pad_right - reach(conv(s)) - 1, conv(s).stride) + 1;
      state(s).needed = length;
    }
    const PadRun& run = plan_.pool.pad_run;
    if (!run.present) return length;
    const auto stride = static_cast<std::int64_t>(plan_.total_stride);
    const std::int64_t text_end = source_.length + static_cast<std::int64_t>(plan_.total_pad_left);
    std::int64_t first_constant = divide(text_end + stride - 1, stride);
    if (first_constant > run.last_constant) return length;
    // Whole tiles are pooled in registers: a few of the constant columns are cheaper computed than left out. One stays,
    // with which the border is counted.
    const auto tile = static_cast<std::int64_t>(plan_.pool_in_tiles ? conv(plan_.conv_count - 1).tile_columns : 1);
    first_constant = smaller<std::int64_t>((first_constant + tile - 1) / tile * tile, run.last_constant);
    repeats_ = run.last_constant - first_constant + 1;
    // Only the columns before the first constant one; their windows end inside the padded input, so that no stage
    // needs its right border.
    std::int64_t needed = first_constant;
    for (std::uint32_t s = plan_.conv_count; s-- > 0;) {
      state(s).needed = needed;
      if (needed > 0) needed = (needed - 1) * conv(s).stride + reach(conv(s)) + 1 - conv(s).pad_left;
      needed = smaller<std::int64_t>(needed < 0 ? 0 : needed, state(s).inputs);
    }
    table_columns_ = needed;
    return first_constant;
  }

  void make_table_columns(std::int64_t low, std::int64_t high, float* out) noexcept {
    if (plan_.trigrams != nullptr) return Trigrams<Arch>(plan_, working_).columns(source_, low, high, out);
    table_columns<Arch>(plan_.table, source_, low, high, out);
    const Epilogue& epilogue = plan_.table.epilogue;
    apply_epilogue<Arch>(epilogue, epilogue.activation == Activation::Kind::relu, out,
                         static_cast<std::size_t>(high - low), plan_.table.vectors, nullptr, 0);
  }

  [[nodiscard]] float* buffer(std::uint32_t s) const { return working_ + conv(s).buffer_offset; }
  [[nodiscard]] float* buffer_end(std::uint32_t s) const {
    return buffer(s) + static_cast<std::size_t>(state(s).end - state(s).first) * conv(s).input_floats;
  }
  [[nodiscard]] std::int64_t room(std::uint32_t s) const {
    return static_cast<std::int64_t>(conv(s).buffer_columns) - (state(s).end - state(s).first);
  }

  /// Appends zero columns while the stage's next input is padding.
  void append_padding(std::uint32_t s) noexcept {
    StageState& st = state(s);
    const auto left = static_cast<std::int64_t>(conv(s).pad_left);
    std::int64_t zeros = 0;
    if (st.end < left) {
      zeros = left - st.end;
    } else if (st.end >= left + st.inputs) {
      zeros = left + st.inputs + conv(s).pad_right - st.end;
    }
    zeros = smaller<std::int64_t>(zeros, room(s));
    if (zeros <= 0) return;
    float* out = buffer_end(s);
    const std::size_t floats = static_cast<std::size_t>(zeros) * conv(s).input_floats;
    for (std::size_t i = 0; i < floats; i += lanes<Arch>) Floats<Arch>(0.0F).store_aligned(out + i);
    st.end += zeros;
  }

  /// How many real columns the stage's buffer takes now.
  [[nodiscard]] std::int64_t appetite(std::uint32_t s) const {
    const std::int64_t real = state(s).end - conv(s).pad_left;
    return real < 0 ? 0 : smaller<std::int64_t>(room(s), state(s).inputs - real);
  }

  /// Drops the input columns that no later window needs.
  void slide(std::uint32_t s) noexcept {
    StageState& st = state(s);
    const std::int64_t next = smaller<std::int64_t>(st.produced * conv(s).stride, st.end);
    if (next <= st.first) return;
    const std::size_t width = conv(s).input_floats;
    const float* from = buffer(s) + static_cast<std::size_t>(next - st.first) * width;
    const std::size_t floats = static_cast<std::size_t>(st.end - next) * width;
    for (std::size_t i = 0; i < floats; i += lanes<Arch>) load<Arch>(from + i).store_aligned(buffer(s) + i);
    st.first = next;
  }

  /// Columns that stage `s` can compute from its buffer: whole blocks until the last ones.
  [[nodiscard]] std::int64_t computable(std::uint32_t s) const {
    const StageState& st = state(s);
    const std::int64_t windows = st.end - reach(conv(s)) - 1;
    const std::int64_t possible = windows < 0 ? 0 : windows / conv(s).stride + 1 - st.produced;
    const std::int64_t wanted = st.needed - st.produced;
    if (possible >= wanted) return wanted;
    return possible <= 0 ? 0 : possible - possible % conv(s).block_columns();
  }

  /// Of `count` columns of stage `s` as many as `room` takes: whole tiles until the last ones.
  [[nodiscard]] std::int64_t fitting(std::uint32_t s, std::int64_t count, std::int64_t room) const {
    return count <= room ? count : room - room % conv(s).tile_columns;
  }

  [[nodiscard]] const float* window(std::uint32_t s) const {
    const StageState& st = state(s);
    return buffer(s) + static_cast<std::size_t>(st.produced * conv(s).stride - st.first) * conv(s).input_floats;
  }

  /// `count` columns, with relu where it is the stage's activation, without the rest of the epilogue.
  void conv_columns(const ConvStage& c, const float* window, float* out, std::size_t count) noexcept {
    float* const scratch = working_ + plan_.scratch_offset;
    switch (c.method) {
      case ConvStage::Method::direct:
        return direct_conv<Arch>(c, window, out, count);
      case ConvStage::Method::paired:
        return paired_conv<Arch>(c, window, out, count, scratch);
      case ConvStage::Method::winograd:
        return with_winograd<Arch>(c, scratch, [&](auto convolution) { convolution.columns(window, out, count); });
      case ConvStage::Method::lanewise:
        return lanewise_conv<Arch>(c, window, out, count);
    }
  }

  /// Computes `count` columns of stage `s` into `out`.
  void compute(std::uint32_t s, std::int64_t count, float* out) noexcept {
    const ConvStage& c = conv(s);
    const auto columns = static_cast<std::size_t>(count);
    conv_columns(c, window(s), out, columns);
    apply_epilogue<Arch>(c.epilogue, c.relu, out, columns, c.output_floats / lanes<Arch>,
                         window(s) + std::size_t{c.epilogue.residual_column} * c.input_floats, c.input_floats);
    state(s).produced += count;
    slide(s);
  }

  /// Computes and pools `count` columns of the last stage.
  void pool_last(std::uint32_t last, std::int64_t count, float* tile) noexcept {
    const ConvStage& c = conv(last);
    if (plan_.pool_in_tiles && count >= c.tile_columns) {
      const std::int64_t whole = count - count % c.tile_columns;
      with_winograd<Arch>(c, working_ + plan_.scratch_offset, [&](auto convolution) {
        convolution.pool(window(last), static_cast<std::size_t>(whole), pooler_);
      });
      state(last).produced += whole;
      count -= whole;
      if (count == 0) return slide(last);
    }
    while (count > 0) {
      const std::int64_t part = smaller<std::int64_t>(count, plan_.tile_columns);
      compute(last, part, tile);
      pooler_.add_columns(tile, part);
      count -= part;
    }
  }

  void run_convs(std::int64_t pooled, float* tile) noexcept {
    const std::uint32_t last = plan_.conv_count - 1;
    std::int64_t made = 0;  // table columns
    while (state(last).produced < pooled) {
      append_padding(0);
      const std::int64_t fresh = smaller<std::int64_t>(appetite(0), table_columns_ - made);
      if (fresh > 0) {
        make_table_columns(made, made + fresh, buffer_end(0));
        made += fresh;
        state(0).end += fresh;
        append_padding(0);
      }
      for (std::uint32_t s = 0; s < last; ++s) {
        append_padding(s + 1);
        const std::int64_t count = fitting(s, computable(s), appetite(s + 1));
        if (count <= 0) continue;
        compute(s, count, buffer_end(s + 1));
        state(s + 1).end += count;
        append_padding(s + 1);
      }
      pool_last(last, computable(last), tile);
    }
  }

  const Plan& plan_;
  const TokenSource& source_;
  float* working_;
  StageState* states_;
  Pooler<Arch> pooler_;
  std::int64_t table_columns_ = 0;
  std::int64_t repeats_ = 0;
};

BYTECNN_INLINE TokenSource token_source(const Plan& plan, const unsigned char* bytes, std::size_t length) noexcept {
  TokenSource source;
  source.bytes = bytes;
  source.length = static_cast<std::int64_t>(length);
  source.tokens = plan.padded ? static_cast<std::int64_t>(plan.max_len) : source.length;
  source.pad_token = plan.pad_token;
  source.outside = plan.vocab_size;
  return source;
}

/// See `PoolFunction`.
template <class Arch>
void pool(const Plan& plan, const unsigned char* bytes, std::size_t length, float* working) noexcept {
  const TokenSource source = token_source(plan, bytes, length);
  float* const features = working + plan.features_offset;
  if (plan.pool_in_registers) {
    pool_table<Arch>(plan, source, features);
  } else {
    Pipeline<Arch>(plan, source, working).run(features);
  }
}

/// See `PoolTextsFunction`. Every step stands here once: this is compiled for each instruction set.
template <class Arch>
void pool_texts(const Plan& plan, const Text* texts, std::size_t count, float* working, float* features) noexcept {
  constexpr std::size_t most_together = 16;
  struct Found {
    TokenSource source;
    ColumnCounts counts;
    std::int64_t place = 0;
  };
  Found found[most_together];
  Trigrams<Arch> trigrams(plan, working);
  Pooler<Arch> pooler(plan.pool, working + plan.pool_offset);
  for (const Text* const end = texts + count; texts < end;) {
    trigrams.clear();
    std::size_t together = 0;
    for (; together < most_together && texts + together < end; ++together) {
      Found& text = found[together];
      text.source = token_source(plan, texts[together].bytes, texts[together].length);
      text.counts = Pipeline<Arch>(plan, text.source, working).counts();
      if (!trigrams.takes(text.counts.windows)) break;
      text.place = trigrams.add(text.source, 0, text.counts.windows);
    }
    trigrams.compute_missing();
    const bool longer = together == 0;  // than a tile: by itself
    if (longer) together = 1;
    for (std::size_t i = 0; i < together; ++i, features += plan.features_floats) {
      const Found& text = found[i];
      pooler.start();
      if (longer) {
        trigrams.pool(text.source, text.counts.windows, pooler);
      } else {
        trigrams.pool_found(text.place, text.counts.windows, pooler);
      }
      if (text.counts.repeats > 0) pooler.add_pad_run(plan.pool.pad_run, text.counts.repeats);
      pooler.finish(features);
    }
    texts += together;
  }
}

/// The same in fixed point: sums and maxima as whole numbers at plan.pool_offset; see fixed_point.hpp.
template <class Arch, class Number>
void pool_whole(const Plan& plan, const unsigned char* bytes, std::size_t length, float* working) noexcept {
  pool_table_whole<Arch, Number>(plan, token_source(plan, bytes, length), working + plan.pool_offset);
}

/// See `EntriesFunction`.
template <class Arch>
void entries(const Plan& plan, const std::uint32_t* keys, std::size_t count, float* working, float* out) noexcept {
  Trigrams<Arch>(plan, working).make_entries(keys, count, out);
}

/// Logits and scores of one input from what enters the last layer, with room for a column of it at `column`.
template <class Arch>
__attribute__((noinline)) void output_layer(const Plan& plan, const DenseStage& last, const float* input, float* column,
                                            float* logits, float* scores) noexcept {
  dense_layer<Arch>(last, input, column);
  std::memcpy(logits, column, last.units * sizeof(float));
  scores_in_place<Arch>(plan.output, column, last.units);
  std::memcpy(scores, column, last.units * sizeof(float));
}

/// See `HeadsFunction`.
template <class Arch>
void heads(const Plan& plan, float* features, std::size_t count, float* logits, float* scores) noexcept {
  const std::size_t stride = plan.features_floats;
  float* input = features;
  float* output = features + count * stride;
  const DenseStage& last = plan.dense[plan.dense_count - 1];
  for (const DenseStage* dense = plan.dense; dense != &last; ++dense) {
    dense_layers<Arch>(*dense, input, output, count, stride);
    float* const swapped = input;
    input = output;
    output = swapped;
  }
  const bool single = last.units == 1 && plan.output == Output::sigmoid;
  for (std::size_t n = 0; n < count; ++n, input += stride, logits += last.units, scores += last.units) {
    if (single) {
      *logits = unit_logit<Arch>(last, input);
      *scores = single_sigmoid(*logits);
    } else {
      output_layer<Arch>(plan, last, input, output, logits, scores);
    }
  }
}

/// See `HeadFunction`. The usual head, one sigmoid unit behind one dense layer, is half of what a 40-byte text takes:
/// it has a path of its own, without an instruction that only others need.
template <class Arch>
void head(const Plan& plan, float* working, float* logits, float* scores) noexcept {
  float* const features = working + plan.features_offset;
  const DenseStage* const dense = plan.dense;
  const bool usual = plan.dense_count == 2 && dense[1].units == 1 && plan.output == Output::sigmoid;
  if (usual && goes_into_unit(dense[0])) {
    *logits = joined_logit<Arch>(dense[0], dense[1], features);
    *scores = single_sigmoid(*logits);
  } else {
    heads<Arch>(plan, features, 1, logits, scores);
  }
}

/// See `RunFunction`.
template <class Arch>
void run(const Plan& plan, const unsigned char* bytes, std::size_t length, float* working, float* logits,
         float* scores) noexcept {
  pool<Arch>(plan, bytes, length, working);
  head<Arch>(plan, working, logits, scores);
}

}  // namespace bytecnn::kernels
