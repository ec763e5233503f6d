#pragma once
/// A partial architecture: any subset of the `architecture` keys of a model file. The same thing serves an older model
/// file (which states little) and a user who tells the exporter what a state dict cannot.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/api.h"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

/// Padding as stated: numbers of zero columns, or "same" / "valid", which depend on the kernel.
struct PaddingStatement {
  enum class Kind : std::uint8_t { columns, same, valid };
  Kind kind = Kind::same;
  std::uint32_t left = 0;   ///< for `columns`
  std::uint32_t right = 0;  ///< for `columns`
  /// Sets `layer.pad_left/right`; "same" is (reach / 2) left and the rest right, as PyTorch.
  void apply(ConvLayer& layer) const noexcept;
};

/// `batch_norm` of a layer as stated: null (none, or none left unfolded), or eps and position, each optional.
struct BatchNormStatement {
  bool none = false;
  std::optional<double> eps;
  std::optional<BatchNormSpec::Position> position;
};

struct ConvLayerStatement {
  std::optional<std::uint32_t> filters, kernel_size, stride, dilation, groups;
  std::optional<PaddingStatement> padding;
  std::optional<Activation> activation;
  std::optional<BatchNormStatement> batch_norm;
  std::optional<bool> residual;
};

struct DenseLayerStatement {
  std::optional<std::uint32_t> units;
  std::optional<Activation> activation;
};

struct ArchitectureStatement {
  std::optional<std::uint32_t> vocab_size, embed_dim, outputs, max_len;
  std::optional<std::vector<ConvLayerStatement>> conv_layers;
  std::optional<std::uint32_t> conv_filters, kernel_size, dense_dim;  ///< the flat keys of one-layer models
  std::optional<Pooling> pooling;
  std::optional<std::vector<DenseLayerStatement>> dense_layers;
  std::optional<Output> output;
  /// Outer: stated at all. Inner: a token, or null for "not padded".
  std::optional<std::optional<std::uint32_t>> pad_token;
};

/// Parses a JSON object. Throws `Error` with a JSON pointer as its place: syntax, unknown or doubled keys, wrong types,
/// numbers out of `ModelLimits`. `max_len: null` counts as not stated. Allocates; safe from many threads at once.
[[nodiscard]] ArchitectureStatement parse_architecture_statement(std::string_view json);

}  // namespace BYTECNN_API
