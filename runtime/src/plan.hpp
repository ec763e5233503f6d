#pragma once
/// A model packed for one vector width: plain data that the kernels read and nobody writes.
///
/// A feature column is one position's channels, contiguous, rounded up to whole vectors. Stages pass columns on through
/// small sliding buffers, so that the working memory depends on the layers' widths, never on the length of the input:
///
///   bytes -> table stage -> [buffer] conv stage -> ... -> [buffer] conv stage -> pooling -> dense layers -> logits
///
/// No standard container in here: kernels are compiled with wider instruction sets than the rest of the library, and
/// must not share inline functions with it (those in here leave no copy behind).

#include <cstddef>
#include <cstdint>

#include "bytecnn/model.hpp"

#include "winograd.hpp"

namespace bytecnn {

/// Four lanes are few enough that a tail shared by two positions would not pay for its half loads.
[[nodiscard]] constexpr bool shares_tails(std::size_t lanes) {
  return lanes >= 8;
}

/// Parts (vectors of filters, and the tail) of a block of a table whose columns are pooled in registers. A sum and a
/// maximum each stay in registers, and a block's tokens are looked up once for all of them: more parts are faster, but
/// each is another two loops for every kernel size, of half a kilobyte to three. Kernel size 3 has most: five hold 40
/// filters in AVX2's registers. Where a block is narrower than it could be, the short kernels lose most: 1.2x with 40
/// filters on AVX-512 in two blocks, kernel 7 1.1x.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t most_block_parts(std::uint32_t kernel_size,
                                                                           std::uint32_t lanes, bool whole_numbers) {
  const bool wide = lanes >= 16;
  if (kernel_size == 3 && !whole_numbers) return wide ? 4 : 5;
  const bool short_kernel = kernel_size == 2 || kernel_size == 4;
  return whole_numbers || kernel_size == 5 || (wide && short_kernel) ? 3 : 2;
}

/// What happens to a stage's sums: activation, then scale and shift, then the stage's input is added.
struct Epilogue {
  Activation::Kind activation = Activation::Kind::none;
  float slope = 0.0F;
  const float* scale = nullptr;  ///< [vectors * lanes], or null
  const float* shift = nullptr;
  bool residual = false;
  /// The input column of a window that is added where the stage is residual: the layer's own left padding, also where a
  /// plan variant (plan_variants.hpp) runs without any.
  std::uint32_t residual_column = 0;
};

/// A block of filters whose columns are pooled in registers; see kernels/table_pool.hpp for the rows.
struct TableBlock {
  const float* rows = nullptr;
  std::uint32_t first = 0;    ///< first filter
  std::uint32_t vectors = 0;  ///< whole vectors, without the tail
  bool tail = false;          ///< the last filters fill at most half a vector and share it between two positions
};

/// Embedding and convolution folded into one table row a token and tap:
/// rows[token][tap][filter] = sum over d of W[filter, d, tap] E[token, d]; the bias is part of tap 0.
/// Token `vocab_size` stands for a position outside the input (zero padding), the token after it for no window at all:
/// minus infinity.
/// With kernel size 1 and no activation this is the plain embedding.
struct TableStage {
  std::uint32_t kernel_size = 1, stride = 1, dilation = 1, pad_left = 0, pad_right = 0;
  std::uint32_t vectors = 0;     ///< vectors a column
  std::uint32_t row_floats = 0;  ///< floats from one token to the next: kernel_size * vectors * lanes
  const float* rows = nullptr;   ///< [vocab_size + 2][kernel_size][vectors * lanes]; of an embedding vocab_size + 1
  /// Where columns are pooled in registers, `rows` is null and the blocks hold the table.
  std::uint32_t block_kernel = 0;  ///< the kernel size where one of that size was written out, else 0
  std::uint32_t block_count = 0;
  const TableBlock* blocks = nullptr;
  /// Tokens that a window may span, and that windows may be apart, where columns are pooled in registers.
  static constexpr std::uint32_t max_window_span = 256;
  static constexpr std::uint32_t max_window_stride = 128;
  [[nodiscard]] std::int64_t window_span() const { return static_cast<std::int64_t>(dilation) * (kernel_size - 1) + 1; }
  Epilogue epilogue;
};

/// Chains that a sum is made of at a time. Sums of pairs are cut into chains, for Winograd's algorithm rounds too much
/// over one long chain. Two run side by side where there are registers for it: where they take turns, and one waits in
/// memory for the next, a layer of 28 and 24 channels takes 1.1 times as long. With 16 registers blocks half as high
/// would cost more.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t product_chains(std::uint32_t registers, bool pairs) {
  return pairs && registers == 32 ? 2 : 1;
}

/// How many sums one pass over the weights feeds, in registers: `vectors` vectors a tile and chain, for so many tiles.
/// Beside the sums stand the weights of a step, one input and, without FMA, one product.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t most_product_tiles(std::uint32_t registers,
                                                                             std::uint32_t lanes, std::uint32_t vectors,
                                                                             bool pairs) {
  const std::uint32_t room = registers == 32 ? 30 : lanes == 4 ? 14 : 15;
  const std::uint32_t most = (room - vectors) / (vectors * product_chains(registers, pairs));
  return most < 12 ? most : 12;
}

/// Vectors of sums a register block may be wide. Where two chains run side by side, five would leave two tiles a block.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t most_product_vectors(std::uint32_t registers,
                                                                               std::uint32_t lanes, bool pairs) {
  if (product_chains(registers, pairs) == 2) return 4;
  return registers == 32 ? 5 : lanes == 4 ? 2 : 3;
}

/// Where channel `channel` of a zipped column begins, in floats: two columns are interleaved within every 128 bits.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t pair_slot(std::uint32_t channel, std::uint32_t lanes) {
  const std::uint32_t lane = channel % lanes;
  return channel / lanes * 2 * lanes + lane % 4 / 2 * lanes + lane / 4 * 4 + lane % 2 * 2;
}

/// Sums of products over the same weights for many tiles; see kernels/products.hpp. The vectors of a tile are cut into
/// blocks: first `wide_blocks` of `block_vectors`, then the others, one narrower. Weights:
/// [groups][block][pairs of points][step][block's lanes], where two chains that run side by side take turns, step by
/// step.
struct ProductStage {
  std::uint32_t steps = 0;        ///< products a sum
  std::uint32_t chain_steps = 0;  ///< of which so many are added before they join the rest
  std::uint32_t vectors = 0;      ///< vectors of sums a tile
  std::uint32_t blocks = 0;
  std::uint32_t block_vectors = 0;
  std::uint32_t wide_blocks = 0;
  const std::uint32_t* offsets = nullptr;  ///< [groups][steps]: a step's input, in floats from the tile's first
};

/// The transform, and the kernel size of the table, of plans with `table_into_tiles`: F(4, 3) and 3.
inline constexpr std::uint32_t table_winograd_pairs = 2;
inline constexpr std::uint32_t table_winograd_outputs = 4;
inline constexpr std::uint32_t table_winograd_kernel = 3;
/// Tiles that they compute together at most: few, so that the table stays in the first-level cache beside the weights
/// and what a block goes through. Two thirds of a block are whole register blocks.
inline constexpr std::uint32_t table_winograd_tiles = 12;

/// How the lanes of a vector of filters get their inputs.
enum class LaneInputs : std::uint8_t {
  in_order,          ///< as they lie in the column: depthwise
  broadcast,         ///< all the same
  permuted,          ///< one load, permuted
  permuted_and_one,  ///< and a broadcast for the last group of the vector
};

/// Which inputs the lanes of one vector of filters take, in every input column; see kernels/lanewise_stage.hpp.
struct LaneSource {
  LaneInputs inputs = LaneInputs::in_order;
  std::uint32_t first = 0;              ///< the first step loads from this channel on
  std::uint32_t advance = 0, turn = 0;  ///< what each further step adds to that, or else to the index
  const std::int32_t* index = nullptr;  ///< [lanes], where in that vector, where permuted
  std::uint32_t second = 0;             ///< the channel in the first step of the lanes that `second_lanes` marks
  const float* second_lanes = nullptr;  ///< [lanes], 1 or 0
};

struct LanewiseStage {
  std::uint32_t steps = 0;    ///< input channels a group
  std::uint32_t spacing = 1;  ///< columns from one to the next of those that are computed together
  /// Taps that share what is loaded, because the next column's input for a tap is this column's for the tap behind it.
  std::uint32_t run_taps = 1;
  const LaneSource* sources = nullptr;  ///< [vectors]
};

/// Columns whose sums stay in registers, one vector each.
[[nodiscard, gnu::always_inline]] constexpr std::uint32_t lanewise_block_columns(std::uint32_t registers) {
  return registers == 32 ? 12 : 8;
}
inline constexpr std::uint32_t most_run_taps = 3;
/// How many of the `left` taps the next run has: all of `run_taps`, or one.
[[nodiscard, gnu::always_inline]] constexpr std::size_t lanewise_taps(std::size_t run_taps, std::size_t left) {
  return left >= run_taps ? run_taps : 1;
}

/// A convolution over columns, by one of four methods.
///
/// direct: a tile is one column, lanes are filters. paired: a tile is two columns, lanes are filters x 2; inputs are
/// zipped first. winograd: a tile is `winograd.outputs` columns and every two transform points make one matrix product,
/// lanes are filters x 2 points. lanewise: a tile is one column, lanes are filters of any groups.
struct ConvStage {
  enum class Method : std::uint8_t { direct, paired, winograd, lanewise };
  Method method = Method::direct;
  bool relu = false;  ///< the activation is relu, and applied while the sums are in registers
  std::uint32_t kernel_size = 1, stride = 1, dilation = 1, pad_left = 0, pad_right = 0;
  std::uint32_t groups = 1;
  std::uint32_t group_inputs = 0;   ///< input channels a group
  std::uint32_t group_filters = 0;  ///< filters a group
  std::uint32_t input_floats = 0;   ///< floats from one input column to the next
  std::uint32_t output_floats = 0;  ///< floats from one output column to the next
  std::uint32_t tile_columns = 1;   ///< output columns a tile
  std::uint32_t block_tiles = 0;    ///< tiles computed together
  ProductStage products;
  LanewiseStage lanewise;
  /// As `products` says; lanewise: [vector][run of taps][step][tap][lane]
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< [groups][lanes of the sums], in pairs twice each; lanewise: [output_floats]
  /// paired: bit i tells that some tap reads column i of every 2 * stride.
  std::uint64_t zipped_columns = ~std::uint64_t{0};
  WinogradTransform winograd;
  const float* zero_column = nullptr;  ///< stands for columns behind the last one that a tile needs
  Epilogue epilogue;
  std::uint32_t buffer_offset = 0;   ///< of the input buffer, in floats from the start of the working memory
  std::uint32_t buffer_columns = 0;  ///< capacity of the input buffer

  /// Output columns computed together.
  [[nodiscard, gnu::always_inline]] std::uint32_t block_columns() const noexcept { return block_tiles * tile_columns; }
  /// Between the first and the last column of a window.
  [[nodiscard, gnu::always_inline]] std::uint32_t reach() const noexcept { return dilation * (kernel_size - 1); }
};

/// Bulk calls: the first two convolutions by looking up windows of the first one.
///
/// What the first layer's column contributes to each of the second layer's columns that see it, one vector of filters a
/// tap, depends on the few tokens of its window alone: an entry. Entries of frequent windows lie in a table that was
/// learned from text; the others are computed when they are met, by the same operations in the same order, so that a
/// result never depends on what the table holds. See kernels/trigram_stage.hpp.
///
/// An entry: [tap][vectors * lanes], then, with a tail, [T_1 | T_0], [T_2 | T_1], ... with T_k the half vector of tap
/// k. The second layer's bias is part of the tap that sees the column's own position.
struct TrigramStage {
  TableStage first;                      ///< the first layer by itself
  ConvStage product;                     ///< from the first layer's column to an entry
  std::uint32_t taps = 0, pad_left = 0;  ///< of the second layer
  std::uint32_t vectors = 0;             ///< whole vectors of filters, without the tail
  bool tail = false;    ///< the last filters fill at most half a vector and share it between two positions
  bool pooled = false;  ///< relu, then the pooling: columns are pooled in registers
  std::uint32_t entry_floats = 0;
  const float* zero_entry = nullptr;  ///< of a column outside the first layer's output
  Epilogue epilogue;                  ///< of the second layer
  std::uint32_t tile_columns = 0;     ///< columns of the second layer that are made together
  /// Working memory, in floats from its start; `rows` holds pointers, `columns` a block of the first layer's columns.
  std::uint32_t rows_offset = 0, keys_offset = 0, missed_offset = 0, seen_offset = 0;
  std::uint32_t columns_offset = 0, entries_offset = 0;
  static constexpr std::uint32_t block_columns = 32;  ///< entries computed together
  static constexpr std::uint32_t seen_slots = 256;    ///< of 16 bits, for windows that were just computed
  static constexpr std::uint32_t seen_shift = 24;     ///< 32 - log2(seen_slots)
};

/// Entries of frequent windows. A key holds the tokens of a window, `key_token_bits` each, the first one lowest; an odd
/// multiplier spreads keys one to one, so that a slot and the rest of the product tell a key.
struct TrigramTable {
  static constexpr std::uint32_t key_token_bits = 9;
  static constexpr std::uint32_t key_bits = 3 * key_token_bits;
  static constexpr std::uint32_t multiplier = 0x2545F491;
  static constexpr std::uint32_t empty_slot = 0xFFFFFFFF;
  static constexpr std::uint32_t min_slot_bits =
      12;                                          ///< the rest of a product fits 15 bits: never 0xFFFF, as when empty
  std::uint32_t shift = key_bits - min_slot_bits;  ///< key_bits - log2(number of slots)
  const std::uint32_t* slots = nullptr;            ///< rest of the product << 16 | entry
  const float* entries = nullptr;                  ///< [entry][entry_floats], aligned to 64 bytes
};

/// After the text every window sees pad tokens alone, so its column is a constant; the last columns see the right
/// border. Both are known before any text is: they are pooled once, when the plan is built.
struct PadRun {
  bool present = false;
  std::int64_t last_constant = 0;     ///< last column (of the pooled ones) whose window lies inside the padded input
  const float* constant = nullptr;    ///< that column
  std::uint32_t border_columns = 0;   ///< columns after it
  const float* border_sum = nullptr;  ///< over those columns; zeros where there are none
  const float* largest = nullptr;     ///< maximum over the constant and those columns
  const float* border_squares = nullptr;  ///< sum of squared distances from their mean
};

/// What is pooled: windows [0, windows), then the constant column `repeats` times and the border behind it, if any.
struct ColumnCounts {
  std::int64_t windows = 0;
  std::int64_t repeats = 0;
};

struct PoolStage {
  Pooling pooling = Pooling::avg_max;
  std::uint32_t channels = 0;
  std::uint32_t vectors = 0;
  PadRun pad_run;
};

/// weights[input][unit], units rounded up to whole vectors.
struct DenseStage {
  std::uint32_t inputs = 0, units = 0, vectors = 0;
  const float* weights = nullptr;
  const float* bias = nullptr;
  Activation::Kind activation = Activation::Kind::none;
  float slope = 0.0F;
};

struct Plan {
  std::uint32_t lanes = 0;
  std::uint32_t vocab_size = 0;
  std::uint32_t max_len = 0;
  bool padded = false;
  std::uint32_t pad_token = 0;

  /// In a plan for bulk calls with `trigrams`, only the geometry of the first two layers together.
  TableStage table;
  const TrigramStage* trigrams = nullptr;
  const TrigramTable* trigram_table = nullptr;
  /// One conv layer with relu: columns are pooled while they are in registers and never stored.
  bool pool_in_registers = false;
  /// The last convolution runs by Winograd's algorithm with relu: its tiles are pooled as they are transformed back.
  bool pool_in_tiles = false;
  /// Tables and one such convolution, whose columns never meet in memory; see kernels/table_winograd.hpp.
  bool table_into_tiles = false;
  std::uint32_t conv_count = 0;
  const ConvStage* convs = nullptr;
  PoolStage pool;
  std::uint32_t dense_count = 0;  ///< with the output layer
  const DenseStage* dense = nullptr;
  Output output = Output::sigmoid;

  /// The whole network as one window: columns are `total_stride` tokens apart, see `receptive_field` tokens, and the
  /// first one begins `total_pad_left` tokens before the input.
  std::uint64_t total_stride = 1, receptive_field = 1, total_pad_left = 0;

  std::uint32_t scratch_offset = 0;   ///< room for zipped and transformed columns
  std::uint32_t tile_columns = 0;     ///< columns the last stage hands to the pooling at once
  std::uint32_t tile_offset = 0;      ///< where in the working memory they lie
  std::uint32_t features_offset = 0;  ///< two vectors of features for the head
  std::uint32_t features_floats = 0;  ///< size of each
  std::uint32_t pool_offset = 0;      ///< the pooling's accumulators: five columns
  std::uint32_t state_offset = 0;     ///< StageState for every conv stage
  std::size_t working_floats = 0;     ///< working memory in floats; it must be aligned to 64 bytes
};

/// Progress of a conv stage through its input, kept in the working memory.
struct StageState {
  std::int64_t needed = 0;    ///< output columns to compute in all
  std::int64_t produced = 0;  ///< output columns computed so far
  std::int64_t inputs = 0;    ///< real input columns in all (padding not counted)
  std::int64_t first = 0;     ///< padded index of the buffer's first column
  std::int64_t end = 0;       ///< padded index after the buffer's last column
};

/// Classifies one input. `length` is at most plan.max_len and enough for the model; `working` holds
/// plan.working_floats floats, aligned to 64 bytes. `logits` and `scores` hold the outputs. Defined for each
/// instruction set in kernels/.
using RunFunction = void (*)(const Plan& plan, const unsigned char* bytes, std::size_t length, float* working,
                             float* logits, float* scores) noexcept;

/// The first half of it: the pooled features of the input, at plan.features_offset of the working memory.
using PoolFunction = void (*)(const Plan& plan, const unsigned char* bytes, std::size_t length,
                              float* working) noexcept;

/// Bulk plans: the entries of `count` windows, by their keys, into [count][entry_floats] at `entries`.
using EntriesFunction = void (*)(const Plan& plan, const std::uint32_t* keys, std::size_t count, float* working,
                                 float* entries) noexcept;

/// The second half: logits and scores of the features that lie at plan.features_offset, which it overwrites. What lies
/// behind the last feature, up to a whole vector, must be finite.
using HeadFunction = void (*)(const Plan& plan, float* working, float* logits, float* scores) noexcept;

/// The same for the features of `count` inputs, [count][features_floats], with as much room behind them, aligned to 64
/// bytes; into rows of the outputs. The same bits as one by one, sooner for six inputs and more.
using HeadsFunction = void (*)(const Plan& plan, float* features, std::size_t count, float* logits,
                               float* scores) noexcept;

}  // namespace bytecnn
