#pragma once
/// A model packed for one vector width: plain data that the kernels read and nobody writes.
///
/// A feature column is one position's channels, contiguous, rounded up to whole vectors. Stages pass columns on through
/// small sliding buffers, so that the working memory depends on the layers' widths, never on the length of the input:
///
///   bytes -> table stage -> [buffer] conv stage -> ... -> [buffer] conv stage -> pooling -> dense layers -> logits
///
/// No standard container in here: kernels are compiled with wider instruction sets than the rest of the library, and
/// must not share inline functions with it.

#include <cstddef>
#include <cstdint>

#include "bytecnn/model.hpp"

#include "winograd.hpp"

namespace bytecnn {

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
/// Token `vocab_size` stands for a position outside the input (zero padding); in blocks the token after it stands for
/// no window at all: minus infinity.
/// With kernel size 1 and no activation this is the plain embedding.
struct TableStage {
  std::uint32_t kernel_size = 1, stride = 1, dilation = 1, pad_left = 0, pad_right = 0;
  std::uint32_t vectors = 0;     ///< vectors a column
  std::uint32_t row_floats = 0;  ///< floats from one token to the next: kernel_size * vectors * lanes
  const float* rows = nullptr;   ///< [vocab_size + 1][kernel_size][vectors * lanes]
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

struct WinogradStage;

/// A convolution over columns. Filters of a group are cut into blocks of at most `block_vectors` vectors; weights lie
/// in the order in which the kernel reads them: [groups][blocks][kernel_size][in_channels of a group][block's lanes].
struct ConvStage {
  enum class Kind : std::uint8_t { direct, depthwise, winograd };
  Kind kind = Kind::direct;
  std::uint32_t kernel_size = 1, stride = 1, dilation = 1, pad_left = 0, pad_right = 0;
  std::uint32_t groups = 1;
  std::uint32_t group_inputs = 0;     ///< input channels a group
  std::uint32_t group_filters = 0;    ///< filters a group
  std::uint32_t group_vectors = 0;    ///< vectors that hold a group's filters
  std::uint32_t block_vectors = 0;    ///< vectors a block (the last one may be narrower)
  std::uint32_t block_positions = 0;  ///< positions computed at once
  std::uint32_t input_floats = 0;     ///< floats from one input column to the next
  std::uint32_t output_floats = 0;    ///< floats from one output column to the next
  const float* weights = nullptr;
  const float* bias = nullptr;  ///< [groups][group_vectors * lanes]
  const WinogradStage* winograd = nullptr;
  bool relu = false;  ///< the activation is relu, and applied while the sums are in registers
  Epilogue epilogue;
  std::uint32_t buffer_offset = 0;   ///< of the input buffer, in floats from the start of the working memory
  std::uint32_t buffer_columns = 0;  ///< capacity of the input buffer
};

/// What a convolution by Winograd's algorithm needs besides; see kernels/winograd_stage.hpp.
struct WinogradStage {
  WinogradTransform transform;
  std::uint32_t block_tiles = 0;          ///< tiles that go through the three steps together
  std::uint32_t chains = 1;               ///< partial sums over the input channels
  ConvStage product;                      ///< the matrix product of one point and chain
  ConvStage last_product;                 ///< of the last chain, which may be shorter
  const float* const* weights = nullptr;  ///< [points * chains]
  const float* zero_bias = nullptr;
  const float* zero_column = nullptr;
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

  TableStage table;
  /// One conv layer with relu: columns are pooled while they are in registers and never stored.
  bool pool_in_registers = false;
  std::uint32_t conv_count = 0;
  const ConvStage* convs = nullptr;
  PoolStage pool;
  std::uint32_t dense_count = 0;  ///< with the output layer
  const DenseStage* dense = nullptr;
  Output output = Output::sigmoid;

  /// The whole network as one window: columns are `total_stride` tokens apart, see `receptive_field` tokens, and the
  /// first one begins `total_pad_left` tokens before the input.
  std::uint64_t total_stride = 1, receptive_field = 1, total_pad_left = 0;

  std::uint32_t scratch_offset = 0;   ///< room for the Winograd stages' transforms
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

/// The second half: logits and scores of the features that lie at plan.features_offset, which it overwrites. What lies
/// behind the last feature, up to a whole vector, must be finite.
using HeadFunction = void (*)(const Plan& plan, float* working, float* logits, float* scores) noexcept;

}  // namespace bytecnn
