#include "fixed_point.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "first_layer_rows.hpp"
#include "logit_movement.hpp"
#include "plan_builder.hpp"
#include "reference_layers.hpp"
#include "table_blocks.hpp"

namespace bytecnn {
namespace {

/// The sums of the split halves must fit 32 bits.
constexpr std::uint64_t max_positions = std::uint64_t{1} << 20U;

/// Every entry may be rounded up by half a unit, which must not show in 12 bits.
constexpr std::uint32_t max_kernel_size = 64;
/// Of the inputs on which the error is measured: the reference takes about two microseconds a byte.
constexpr std::size_t longest_sample = 512;

/// What a window's sum and its partial sums may reach; see the table in the header.
template <class Number>
struct Range {
  static constexpr bool is_short = std::is_same_v<Number, std::int16_t>;
  static constexpr double window = is_short ? 4095 : (1 << 25) - 1;
  static constexpr double partial = is_short ? 16000 : 1 << 29;
};

/// Two doubles in a register, of any instruction set.
using Pair = double __attribute__((vector_size(16)));

/// Largest and smallest entries of a filter's taps, summed.
struct Extremes {
  double window = 0, positive = 0, negative = 0;
};

Extremes extremes_of(const std::vector<double>& rows, std::size_t kernel, std::size_t filters, std::size_t filter) {
  Extremes sum;
  for (std::size_t k = 0; k < kernel; ++k) {
    double largest = -std::numeric_limits<double>::infinity();
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t at = k * filters + filter; at < rows.size(); at += kernel * filters) {
      largest = std::max(largest, rows[at]);
      smallest = std::min(smallest, rows[at]);
    }
    sum.window += largest;
    sum.positive += std::max(0.0, largest);
    sum.negative += std::max(0.0, -smallest);
  }
  return sum;
}

/// Units of a filter for the value one. Every entry may be rounded up by half a unit.
template <class Number>
double scale_of(const Extremes& extremes, std::size_t kernel) {
  const auto slack = static_cast<double>(kernel);
  double scale = std::numeric_limits<double>::infinity();
  if (extremes.window > 0) scale = std::min(scale, (Range<Number>::window - slack) / extremes.window);
  if (extremes.positive > 0) scale = std::min(scale, (Range<Number>::partial - slack) / extremes.positive);
  if (extremes.negative > 0) scale = std::min(scale, (Range<Number>::partial - slack) / extremes.negative);
  return std::isfinite(scale) ? scale : 1;
}

[[noreturn]] void refuse(std::string message, std::string where, Arithmetic arithmetic) {
  throw Error(ErrorCode::unsupported, "this model has no " + std::string(to_string(arithmetic)) + " form: " + message,
              std::move(where), {}, {});
}

}  // namespace

std::string_view to_string(Arithmetic arithmetic) noexcept {
  switch (arithmetic) {
    case Arithmetic::float32:
      return "float32";
    case Arithmetic::int32:
      return "int32";
    case Arithmetic::int16:
      return "int16";
  }
  return "?";
}

Arithmetic parse_arithmetic(std::string_view name) {
  for (const Arithmetic arithmetic : {Arithmetic::float32, Arithmetic::int32, Arithmetic::int16}) {
    if (to_string(arithmetic) == name) return arithmetic;
  }
  throw Error(ErrorCode::usage, "unknown arithmetic", {}, "float32, int32 or int16", "\"" + std::string(name) + "\"");
}

FixedPoint::FixedPoint(const Model& model, const Plan& plan, const kernels::KernelTable& kernels, Arithmetic arithmetic)
    : arithmetic_(arithmetic), kernels_(kernels), plan_(plan) {
  const Architecture& architecture = model.architecture;
  if (architecture.conv_layers.size() != 1) {
    refuse("only models of one conv layer have", "/architecture/conv_layers", arithmetic);
  }
  const ConvLayer& layer = architecture.conv_layers[0];
  if (layer.activation.kind != Activation::Kind::relu) {
    refuse("only a conv layer with relu has", "/architecture/conv_layers/0/activation", arithmetic);
  }
  if (!plan.pool_in_registers) {
    refuse("its windows, tables or pooling are not those of the one-layer kernels", "/architecture", arithmetic);
  }
  if (layer.kernel_size > max_kernel_size) {
    refuse("its kernel is longer than " + std::to_string(max_kernel_size), "/architecture/conv_layers/0/kernel_size",
           arithmetic);
  }
  if (std::uint64_t{architecture.max_len} + layer.pad_left + layer.pad_right > max_positions) {
    refuse("its inputs are longer than " + std::to_string(max_positions), "/architecture/max_len", arithmetic);
  }
  if (arithmetic == Arithmetic::int16) {
    build<std::int16_t>(model);
  } else {
    build<std::int32_t>(model);
    build_head(model);
  }
  exact_offset_ = plan_.working_floats;
  exact_width_ = feature_count();
  for (const ExactLayer& dense : layers_) exact_width_ = std::max(exact_width_, dense.bias.size());
  exact_width_ = round_up(exact_width_, 8);
  working_floats_ = exact_offset_ + 2 * exact_width_ * sizeof(double) / sizeof(float);
  measured_error_ = measure(model);
  std::vector<double> radii;
  for (const Channel& channel : channels_) radii.push_back(channel.radius);
  error_bound_ = largest_logit_movement(model, radii);
}

float* FixedPoint::allocate(std::size_t floats) {
  const std::size_t bytes = round_up(floats * sizeof(float), 64);
  auto* memory = static_cast<float*>(::operator new[](bytes, std::align_val_t{64}));
  memory_.emplace_back(memory);
  std::memset(memory, 0, bytes);
  return memory;
}

template <class Number>
void FixedPoint::build(const Model& model) {
  const ConvLayer& layer = model.architecture.conv_layers[0];
  const std::size_t kernel = layer.kernel_size;
  const std::size_t filters = layer.filters;
  const std::vector<double> exact = first_layer_rows(model);
  std::vector<Number> rows(exact.size() + kernel * filters);
  channels_.resize(filters);
  for (std::size_t f = 0; f < filters; ++f) {
    const Extremes extremes = extremes_of(exact, kernel, filters, f);
    const double scale = scale_of<Number>(extremes, kernel);
    channels_[f].step = 1 / scale;
    // What a window gains or loses by rounding, by the worst token of each tap.
    std::vector<double> gained(kernel), lost(kernel);
    for (std::size_t at = f; at < exact.size(); at += filters) {
      rows[at] = static_cast<Number>(std::llround(exact[at] * scale));
      const double difference = static_cast<double>(rows[at]) - exact[at] * scale;
      const std::size_t tap = at / filters % kernel;
      gained[tap] = std::max(gained[tap], difference);
      lost[tap] = std::max(lost[tap], -difference);
    }
    channels_[f].radius =
        std::max(std::accumulate(gained.begin(), gained.end(), 0.0), std::accumulate(lost.begin(), lost.end(), 0.0)) /
        scale;
    // Of windows of nothing the last token is "nothing": its last tap outweighs whatever the others add.
    rows[rows.size() - filters + f] = static_cast<Number>(-std::ceil(extremes.positive * scale) - double(kernel));
  }
  const std::uint32_t lanes = plan_.lanes;
  const std::size_t numbers = lanes * sizeof(float) / sizeof(Number);
  plan_.pool.vectors = static_cast<std::uint32_t>((filters + numbers - 1) / numbers);
  plan_.table.block_kernel = block_kernel(plan_.table, whole_block_kernels);
  blocks_ = cut_table(plan_.table, rows, filters, lanes, most_block_parts(plan_.table.block_kernel, lanes, true),
                      [this](std::size_t floats) { return allocate(floats); });
  plan_.table.blocks = blocks_.data();
  plan_.table.block_count = static_cast<std::uint32_t>(blocks_.size());
  pool_padding(model.architecture, rows);
}

template <class Number>
void FixedPoint::pool_padding(const Architecture& architecture, const std::vector<Number>& rows) {
  const PadRun& run = plan_.pool.pad_run;
  if (!run.present) return;
  const ConvLayer& layer = architecture.conv_layers[0];
  const std::size_t filters = layer.filters;
  const auto row = [&](std::int64_t position, std::size_t tap) {
    const bool inside = position >= 0 && position < std::int64_t{architecture.max_len};
    const std::size_t token = inside ? plan_.pad_token : plan_.vocab_size;
    return &rows[(token * layer.kernel_size + tap) * filters];
  };
  for (std::int64_t column = run.last_constant; column <= run.last_constant + run.border_columns; ++column) {
    const std::int64_t first = column * layer.stride - std::int64_t{layer.pad_left};
    for (std::size_t f = 0; f < filters; ++f) {
      std::int64_t value = 0;
      for (std::size_t k = 0; k < layer.kernel_size; ++k) {
        value += row(first + static_cast<std::int64_t>(k) * layer.dilation, k)[f];
      }
      value = std::max<std::int64_t>(value, 0);
      Channel& channel = channels_[f];
      channel.largest = std::max(channel.largest, value);
      if (column == run.last_constant) {
        channel.constant = value;
      } else {
        channel.border_sum += value;
      }
    }
  }
}

void FixedPoint::build_head(const Model& model) {
  const auto add = [this](const DenseWeights& weights, const Activation& activation) {
    ExactLayer layer;
    layer.units = weights.bias.size();
    layer.inputs = weights.weight.size() / layer.units;
    layer.activation = activation;
    layer.bias.assign(weights.bias.begin(), weights.bias.end());
    layer.bias.resize(round_up(layer.units, ExactLayer::block));
    layer.weight.resize(layer.bias.size() * layer.inputs);
    for (std::size_t u = 0; u < layer.units; ++u) {
      const std::size_t first = u / ExactLayer::block * ExactLayer::block * layer.inputs + u % ExactLayer::block;
      for (std::size_t i = 0; i < layer.inputs; ++i) {
        layer.weight[first + i * ExactLayer::block] = weights.weight[u * layer.inputs + i];
      }
    }
    layers_.push_back(std::move(layer));
  };
  for (std::size_t i = 0; i < model.weights.dense.size(); ++i) {
    add(model.weights.dense[i], model.architecture.dense_layers[i].activation);
  }
  add(model.weights.output, {Activation::Kind::none});
}

std::size_t FixedPoint::feature_count() const noexcept {
  return plan_.pool.pooling == Pooling::concat_avg_max ? 2 * channels_.size() : channels_.size();
}

void FixedPoint::features(const float* whole, double* out) const noexcept {
  const std::size_t width = std::size_t{plan_.pool.vectors} * plan_.lanes;
  const float* const low = whole + width;
  const float* const high = low + width;
  ColumnCounts counts;
  std::memcpy(static_cast<void*>(&counts), high + width, sizeof(counts));
  std::int64_t positions = counts.windows;
  if (counts.repeats > 0) positions += counts.repeats + plan_.pool.pad_run.border_columns;
  const auto word = [](const float* from, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, from + at, sizeof(value));
    return value;
  };
  for (std::size_t c = 0; c < channels_.size(); ++c) {
    std::int64_t sum = 0;
    std::int64_t largest = 0;
    if (arithmetic_ == Arithmetic::int16) {
      const bool odd = c % 2 != 0;
      sum = word(odd ? high : low, c / 2);
      largest = (word(whole, c / 2) >> (odd ? 16U : 0U)) & 0xffffU;
    } else {
      sum = (std::int64_t{word(high, c)} << 16U) + word(low, c);
      largest = word(whole, c);
    }
    const Channel& channel = channels_[c];
    if (counts.repeats > 0) {
      sum += counts.repeats * channel.constant + channel.border_sum;
      largest = std::max(largest, channel.largest);
    }
    const double average = static_cast<double>(sum) / static_cast<double>(positions) * channel.step;
    const double maximum = static_cast<double>(largest) * channel.step;
    switch (plan_.pool.pooling) {
      case Pooling::max:
        out[c] = maximum;
        break;
      case Pooling::avg_max:
        out[c] = (average + maximum) / 2;
        break;
      case Pooling::concat_avg_max:
        out[channels_.size() + c] = maximum;
        [[fallthrough]];
      default:
        out[c] = average;
        break;
    }
  }
}

void FixedPoint::exact_head(double* input, double* output, float* logits, float* scores) const noexcept {
  // A float, so that its product with a weight is exact in double.
  const auto rounded = [](double x) { return static_cast<double>(static_cast<float>(x)); };
  for (const ExactLayer& layer : layers_) {
    for (std::size_t i = 0; i < layer.inputs; ++i) input[i] = rounded(input[i]);
    const double* weight = layer.weight.data();
    for (std::size_t first = 0; first < layer.bias.size(); first += ExactLayer::block) {
      // Named, because the compiler would keep an array of sums in memory, each waiting for its last store.
      const double* bias = &layer.bias[first];
      Pair a{bias[0], bias[1]};
      Pair b{bias[2], bias[3]};
      Pair c{bias[4], bias[5]};
      Pair d{bias[6], bias[7]};
      for (std::size_t i = 0; i < layer.inputs; ++i, weight += ExactLayer::block) {
        const Pair x{input[i], input[i]};
        a += x * Pair{weight[0], weight[1]};
        b += x * Pair{weight[2], weight[3]};
        c += x * Pair{weight[4], weight[5]};
        d += x * Pair{weight[6], weight[7]};
      }
      std::memcpy(output + first, &a, sizeof(a));
      std::memcpy(output + first + 2, &b, sizeof(b));
      std::memcpy(output + first + 4, &c, sizeof(c));
      std::memcpy(output + first + 6, &d, sizeof(d));
    }
    if (layer.activation.kind != Activation::Kind::none) {
      const bool relu = layer.activation.kind == Activation::Kind::relu;
      for (std::size_t u = 0; u < layer.units; ++u) {
        output[u] = relu ? std::max(output[u], 0.0) : reference::activate(layer.activation, output[u]);
      }
    }
    std::swap(input, output);
  }
  const std::size_t inputs = layers_.back().units;
  for (std::size_t i = 0; i < inputs; ++i) logits[i] = static_cast<float>(input[i]);
  reference::scores_in_place(plan_.output, {input, inputs});
  for (std::size_t i = 0; i < inputs; ++i) scores[i] = static_cast<float>(input[i]);
}

void FixedPoint::run(std::span<const std::byte> input, float* working, float* logits, float* scores) const noexcept {
  const bool narrow = arithmetic_ == Arithmetic::int16;
  (narrow ? kernels_.pool_int16 : kernels_.pool_int32)(plan_, reinterpret_cast<const unsigned char*>(input.data()),
                                                       input.size(), working);
  auto* const exact = reinterpret_cast<double*>(working + exact_offset_);
  features(working + plan_.pool_offset, exact);
  if (!narrow) {
    exact_head(exact, exact + exact_width_, logits, scores);
    return;
  }
  float* const out = working + plan_.features_offset;
  const std::size_t count = feature_count();
  for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<float>(exact[i]);
  std::fill(out + count, out + round_up(count, plan_.lanes), 0.0F);
  kernels_.head(plan_, working, logits, scores);
}

double FixedPoint::measure(const Model& model) const {
  const std::unique_ptr<float[], AlignedDelete> working(
      static_cast<float*>(::operator new[](working_floats_ * sizeof(float), std::align_val_t{64})));
  const std::size_t outputs = model.architecture.outputs;
  std::vector<float> logits(outputs);
  std::vector<float> scores(outputs);
  std::mt19937 engine(1);
  double worst = 0;
  const std::size_t longest = std::min<std::size_t>(model.architecture.max_len, longest_sample);
  // Letters, all bytes, and one byte alone, which is what the average of equal columns is hardest on.
  for (const auto& [lowest, highest] : std::array<std::array<unsigned, 2>, 3>{{{97, 122}, {0, 255}, {101, 101}}}) {
    for (const std::size_t length : {longest / 16, longest / 4, longest}) {
      std::vector<std::byte> input(length);
      for (std::byte& byte : input) byte = static_cast<std::byte>(lowest + engine() % (highest - lowest + 1));
      const bool enough =
          model.architecture.pad_token.has_value() ||
          model.architecture.pooled_positions(length) >= minimum_pooled_positions(model.architecture.pooling);
      if (!enough) continue;
      run(input, working.get(), logits.data(), scores.data());
      const std::vector<double> exact = reference_logits(model, input);
      double scale = 1;
      for (const double logit : exact) scale = std::max(scale, std::abs(logit));
      for (std::size_t i = 0; i < outputs; ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(logits[i]) - exact[i]) / scale);
      }
    }
  }
  return worst;
}

}  // namespace bytecnn
