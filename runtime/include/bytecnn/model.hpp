#pragma once
/// A byte CNN as plain data: what a model file says, validated, before anything is planned or packed for speed.
///
///   bytes -> truncate to max_len -> pad with pad_token to max_len (or not) -> embedding [vocab_size, embed_dim]
///         -> conv blocks: conv1d -> activation -> [scale and shift a channel] -> [+ input of the block]
///         -> global pooling -> dense layers -> output layer -> logits -> sigmoid | softmax | none
///
/// All weights are row-major in PyTorch's order. Batch norm before an activation is already folded into the
/// convolution's weights; batch norm after it stays as `scale` and `shift`.
///
/// Plain data: many threads may read one, and a thread that changes one must be alone. Functions that return a string,
/// and those that throw, allocate; the others do not.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/api.h"

namespace bytecnn BYTECNN_API {

/// An element-wise function. Gelu is the erf form, as PyTorch's default.
struct Activation {
  enum class Kind : std::uint8_t { none, relu, leaky_relu, gelu, silu, tanh, sigmoid };
  Kind kind = Kind::none;
  /// Factor of negative inputs; used by leaky_relu alone.
  float slope = 0.01F;
  friend bool operator==(const Activation&, const Activation&) = default;
};

/// Reduction over all positions: avg_max = (avg + max) / 2, concat_avg_max = [avg, max],
/// concat_avg_max_std = [avg, max, sqrt(var + 1e-5)] with the unbiased variance of `torch.var`.
enum class Pooling : std::uint8_t { max, avg, avg_max, concat_avg_max, concat_avg_max_std };

/// What turns logits into scores.
enum class Output : std::uint8_t { sigmoid, softmax, none };

/// Where a conv block's batch norm stands, and its epsilon. In a `Model` only `after_activation` is left (it became the
/// layer's `scale` and `shift`): what stood before the activation is folded into the weights.
struct BatchNormSpec {
  enum class Position : std::uint8_t { before_activation, after_activation };
  double eps = 1e-5;
  Position position = Position::before_activation;
  friend bool operator==(const BatchNormSpec&, const BatchNormSpec&) = default;
};

struct ConvLayer {
  std::uint32_t filters = 0;  ///< output channels
  std::uint32_t kernel_size = 0;
  std::uint32_t stride = 1;
  std::uint32_t dilation = 1;
  std::uint32_t groups = 1;
  std::uint32_t pad_left = 0;  ///< zero columns before the first position
  std::uint32_t pad_right = 0;
  Activation activation;
  std::optional<BatchNormSpec> batch_norm;
  bool residual = false;  ///< the block's input is added last; needs equal channels and equal length

  /// Distance between the first and the last input position of one window.
  [[nodiscard]] std::uint32_t reach() const noexcept { return dilation * (kernel_size - 1); }
  /// Positions out of `length` positions in; 0 where the padded input is shorter than one window.
  [[nodiscard]] std::uint64_t output_length(std::uint64_t length) const noexcept;
  friend bool operator==(const ConvLayer&, const ConvLayer&) = default;
};

struct DenseLayer {
  std::uint32_t units = 0;
  Activation activation;
  friend bool operator==(const DenseLayer&, const DenseLayer&) = default;
};

/// The fewest positions a pooling can take: 2 where it holds a standard deviation, else 1.
[[nodiscard]] std::uint64_t minimum_pooled_positions(Pooling pooling) noexcept;

struct Architecture {
  std::uint32_t vocab_size = 256;
  std::uint32_t embed_dim = 0;
  std::vector<ConvLayer> conv_layers;
  Pooling pooling = Pooling::avg_max;
  std::vector<DenseLayer> dense_layers;  ///< hidden layers of the head, without the output layer
  std::uint32_t outputs = 0;             ///< number of logits
  Output output = Output::sigmoid;
  std::uint32_t max_len = 512;
  /// Vocabulary index that fills an input up to max_len; none: the input is not padded.
  std::optional<std::uint32_t> pad_token = 0;

  /// Channels that enter conv layer `layer` (0-based).
  [[nodiscard]] std::uint32_t in_channels(std::size_t layer) const noexcept;
  /// Features that leave the pooling.
  [[nodiscard]] std::uint32_t pooled_features() const noexcept;
  /// Positions that reach the pooling for `length` tokens in; 0 where some layer is left without a window.
  [[nodiscard]] std::uint64_t pooled_positions(std::uint64_t length) const noexcept;
  friend bool operator==(const Architecture&, const Architecture&) = default;
};

struct ConvWeights {
  std::vector<float> weight;  ///< [filters][in_channels / groups][kernel_size]
  std::vector<float> bias;    ///< [filters]
  std::vector<float> scale;   ///< [filters] after the activation, or empty
  std::vector<float> shift;   ///< [filters] after the activation, or empty
};

struct DenseWeights {
  std::vector<float> weight;  ///< [units][inputs]
  std::vector<float> bias;    ///< [units]
};

struct Weights {
  std::vector<float> embedding;  ///< [vocab_size][embed_dim]
  std::vector<ConvWeights> conv;
  std::vector<DenseWeights> dense;
  DenseWeights output;
};

struct ModelInfo {
  std::string name;
  std::string version;
  std::uint64_t parameters = 0;  ///< learned numbers of the original, running statistics not counted
  std::optional<double> accuracy;
  std::string exported;  ///< ISO 8601, UTC
  std::vector<std::string> labels;
  std::optional<double> threshold;
  std::map<std::string, std::string> source;   ///< file, sha256, form
  std::map<std::string, std::string> assumed;  ///< architecture key -> where its value came from
  std::string extra = "{}";                    ///< unknown keys of model_info, kept as a JSON object
};

/// One input and the logits the *original* gave for it.
struct Golden {
  std::vector<std::byte> input;
  std::vector<double> logits;
};

/// Windows of the first conv layer that are frequent in the texts a model is meant for, the most frequent one first:
/// what batches look up before they have learned from texts of their own. No result depends on it, only speed.
struct FrequentWindows {
  std::string sample;  ///< what they were counted in, in words
  /// [windows][kernel_size of the first conv layer] tokens: bytes, `pad_token`, or `vocab_size` for a place outside the
  /// (padded) input. No window stands twice. Empty: none are stated.
  std::vector<std::uint32_t> tokens;
};

struct Model {
  ModelInfo info;
  Architecture architecture;
  Weights weights;
  std::vector<Golden> golden;
  FrequentWindows frequent_windows;
  std::string extra = "{}";  ///< unknown top-level keys, kept as a JSON object
};

/// Upper limits on what a model may ask for; they bound the memory and time of loading a hostile file.
struct ModelLimits {
  static constexpr std::uint32_t max_vocab_size = 65536;
  static constexpr std::uint32_t max_channels = 65536;  ///< embed_dim, filters, units, outputs
  static constexpr std::uint32_t max_kernel_size = 4096;
  static constexpr std::uint32_t max_stride_or_dilation = 65536;
  static constexpr std::uint32_t max_padding = 1U << 20U;
  static constexpr std::uint32_t max_len = 1U << 26U;
  static constexpr std::size_t max_layers = 256;
  static constexpr std::uint64_t max_weights = 1ULL << 28U;
  static constexpr std::size_t max_frequent_windows = 65536;
};

/// Checks an architecture by itself: ranges, divisibility by groups, residual shapes, that a padded input reaches the
/// pooling. Throws `Error` with a JSON pointer into the model file as its place.
void validate(const Architecture& architecture);
/// Checks a whole model: `validate(architecture)`, every weight's shape, that every number is finite, labels,
/// threshold, golden vectors and frequent windows. Throws `Error` as above.
void validate(const Model& model);

/// Names as they stand in files, e.g. "avg_max", "leaky_relu(0.01)". The parsers throw `Error` (invalid) that lists
/// the known names, with an empty place.
[[nodiscard]] std::string to_string(const Activation& activation);
[[nodiscard]] std::string_view to_string(Pooling pooling) noexcept;
[[nodiscard]] std::string_view to_string(Output output) noexcept;
[[nodiscard]] std::string_view to_string(BatchNormSpec::Position position) noexcept;
[[nodiscard]] Activation parse_activation(std::string_view name);
[[nodiscard]] Pooling parse_pooling(std::string_view name);
[[nodiscard]] Output parse_output(std::string_view name);
[[nodiscard]] BatchNormSpec::Position parse_batch_norm_position(std::string_view name);

}  // namespace BYTECNN_API
