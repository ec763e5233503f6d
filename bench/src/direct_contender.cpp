#include "direct_contender.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <deque>
#include <new>

#include "isa/isa_kernels.hpp"

namespace bytecnn::bench {
namespace {

/// Floats aligned for every vector width.
class AlignedFloats {
 public:
  explicit AlignedFloats(std::size_t count)
      : data_(static_cast<float*>(::operator new[](std::max<std::size_t>(count, 1) * sizeof(float), alignment))) {
    std::fill_n(data_, count, 0.0F);
  }
  AlignedFloats(const AlignedFloats&) = delete;
  AlignedFloats& operator=(const AlignedFloats&) = delete;
  ~AlignedFloats() { ::operator delete[](data_, alignment); }
  [[nodiscard]] float* data() const noexcept { return data_; }

 private:
  static constexpr std::align_val_t alignment{64};
  float* data_;
};

/// A model's weights in the order in which the direct kernels read them, widths rounded up to `lanes`.
class PackedNetwork {
 public:
  PackedNetwork(const Model& model, std::size_t lanes) : lanes_(lanes) {
    const Architecture& a = model.architecture;
    network_.embed_width = width_of(a.embed_dim);
    network_.embedding = transposed(model.weights.embedding, a.vocab_size, 1, a.embed_dim, true);
    network_.max_len = a.max_len;
    network_.padded = a.pad_token.has_value();
    network_.pad_token = a.pad_token.value_or(0);
    network_.pooling = a.pooling;
    network_.outputs = a.outputs;
    std::uint64_t positions = a.max_len;
    std::uint32_t width = network_.embed_width;
    for (std::size_t i = 0; i < a.conv_layers.size(); ++i) {
      const ConvLayer& layer = a.conv_layers[i];
      const std::uint64_t padded = layer.pad_left + positions + layer.pad_right;
      network_.buffer_floats = std::max<std::size_t>(network_.buffer_floats, padded * width);
      pack(layer, model.weights.conv[i], a.in_channels(i), width);
      width = width_of(layer.filters);
      positions = layer.output_length(positions);
      network_.channels = layer.filters;
    }
    network_.buffer_floats = std::max<std::size_t>(network_.buffer_floats, positions * width);
    // The pooling keeps sums, maxima and deviations in one buffer.
    network_.buffer_floats = std::max<std::size_t>(network_.buffer_floats, 4 * std::size_t{width});
    std::uint32_t inputs = a.pooled_features();
    for (std::size_t i = 0; i < a.dense_layers.size(); ++i) {
      pack(model.weights.dense[i], inputs, a.dense_layers[i].units, a.dense_layers[i].activation);
      inputs = a.dense_layers[i].units;
    }
    pack(model.weights.output, inputs, a.outputs, {});
    network_.convs = convs_.data();
    network_.conv_count = convs_.size();
    network_.dense = dense_.data();
    network_.dense_count = dense_.size();
  }

  [[nodiscard]] const DirectNetwork& network() const noexcept { return network_; }

 private:
  [[nodiscard]] std::uint32_t width_of(std::uint32_t channels) const {
    return static_cast<std::uint32_t>((channels + lanes_ - 1) / lanes_ * lanes_);
  }

  /// values[rows][middle][taps] -> [taps][middle][width of rows]; with `keep_rows`, [rows][width of taps] instead.
  const float* transposed(const std::vector<float>& values, std::size_t rows, std::size_t middle, std::size_t taps,
                          bool keep_rows = false) {
    const std::size_t width = width_of(static_cast<std::uint32_t>(keep_rows ? taps : rows));
    float* packed = storage_.emplace_back(keep_rows ? rows * width : taps * middle * width).data();
    for (std::size_t row = 0; row < rows; ++row) {
      for (std::size_t m = 0; m < middle; ++m) {
        for (std::size_t tap = 0; tap < taps; ++tap) {
          const std::size_t place = keep_rows ? row * width + tap : (tap * middle + m) * width + row;
          packed[place] = values[(row * middle + m) * taps + tap];
        }
      }
    }
    return packed;
  }

  const float* row_of(const std::vector<float>& values) {
    return values.empty() ? nullptr : transposed(values, values.size(), 1, 1);
  }

  void pack(const ConvLayer& layer, const ConvWeights& weights, std::uint32_t inputs, std::uint32_t input_width) {
    DirectConv conv;
    conv.kernel_size = layer.kernel_size;
    conv.stride = layer.stride;
    conv.dilation = layer.dilation;
    conv.pad_left = layer.pad_left;
    conv.pad_right = layer.pad_right;
    conv.groups = layer.groups;
    conv.inputs = inputs;
    conv.filters = layer.filters;
    conv.input_width = input_width;
    conv.output_width = width_of(layer.filters);
    conv.weights = transposed(weights.weight, layer.filters, inputs / layer.groups, layer.kernel_size);
    conv.bias = row_of(weights.bias);
    conv.scale = row_of(weights.scale);
    conv.shift = row_of(weights.shift);
    conv.activation = layer.activation;
    conv.residual = layer.residual;
    convs_.push_back(conv);
  }

  void pack(const DenseWeights& weights, std::uint32_t inputs, std::uint32_t units, const Activation& activation) {
    DirectDense dense;
    dense.inputs = inputs;
    dense.units = units;
    dense.width = width_of(units);
    dense.weights = transposed(weights.weight, units, 1, inputs);
    dense.bias = row_of(weights.bias);
    dense.activation = activation;
    dense_.push_back(dense);
    network_.buffer_floats = std::max<std::size_t>(network_.buffer_floats, dense.width);
  }

  std::size_t lanes_;
  std::deque<AlignedFloats> storage_;
  std::vector<DirectConv> convs_;
  std::vector<DirectDense> dense_;
  DirectNetwork network_;
};

class Direct final : public Contender {
 public:
  Direct(std::string name, const Model& model, std::size_t lanes, DirectFunction function)
      : Contender(std::move(name)),
        packed_(model, lanes),
        function_(function),
        output_(model.architecture.output),
        front_(packed_.network().buffer_floats),
        back_(packed_.network().buffer_floats),
        logits_(model.architecture.outputs) {}

  double classify_each(std::span<const Text> texts) override {
    double sum = 0;
    for (const Text text : texts) {
      logits(text, logits_);
      sum += score();
    }
    return sum;
  }

  void logits(Text text, std::span<float> logits) override {
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    function_(packed_.network(), bytes, text.size(), front_.data(), back_.data(), logits.data());
  }

 private:
  /// The score of a single output, or the best of many.
  [[nodiscard]] double score() const {
    const float best = *std::max_element(logits_.begin(), logits_.end());
    if (output_ == Output::none) return static_cast<double>(best);
    if (output_ == Output::sigmoid) return static_cast<double>(1.0F / (1.0F + std::exp(-best)));
    float sum = 0;
    for (const float logit : logits_) sum += std::exp(logit - best);
    return static_cast<double>(1.0F / sum);
  }

  PackedNetwork packed_;
  DirectFunction function_;
  Output output_;
  AlignedFloats front_, back_;
  std::vector<float> logits_;
};

}  // namespace

const IsaKernels* find_isa_kernels(Isa isa) noexcept {
  switch (isa) {
#if defined(__x86_64__)
    case Isa::avx512:
      return &avx512_kernels;
    case Isa::avx2:
      return &avx2_kernels;
    case Isa::sse2:
      return &sse2_kernels;
#elif defined(__aarch64__)
    case Isa::neon64:
      return &neon64_kernels;
#endif
    default:
      return nullptr;
  }
}

/// The plain loops take their filters by eight.
constexpr std::size_t plain_channels = 8;

std::vector<std::unique_ptr<Contender>> direct_contenders(const Model& model) {
  std::vector<std::unique_ptr<Contender>> contenders;
  const IsaKernels* kernels = find_isa_kernels(supported_isas().front());
  if (kernels == nullptr || model.architecture.conv_layers.empty()) return contenders;
  const auto& layers = model.architecture.conv_layers;
  if (std::all_of(layers.begin(), layers.end(), [](const ConvLayer& layer) { return layer.groups == 1; })) {
    contenders.push_back(std::make_unique<Direct>("registers direct", model, kernels->lanes, kernels->registers));
  }
  contenders.push_back(std::make_unique<Direct>("plain direct", model, plain_channels, kernels->plain));
  return contenders;
}

}  // namespace bytecnn::bench
