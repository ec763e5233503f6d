#include "verify/bound/all_windows.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <mutex>
#include <thread>

#include "first_layer_rows.hpp"

// The same loop for wider vectors, chosen when the program starts; sanitizers do not get on with that.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define BYTECNN_FOR_WIDER_VECTORS __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define BYTECNN_FOR_WIDER_VECTORS
#endif

namespace bytecnn::exporter {
namespace {

constexpr std::size_t most_taps = 3;

/// Filters that are compared at once, in registers.
constexpr std::size_t block = 16;

/// Numbers of one tap: [tokens][width], width being the filters rounded up to whole blocks. A kernel shorter than three
/// has taps of one token and zeros.
struct Tap {
  std::size_t tokens = 1;
  std::vector<double> original, exported;
  std::vector<float> table;
};

/// One block of filters, with any last token after tokens a and b. Three floats have three sums: (a + b) + c,
/// (a + c) + b, (b + c) + a. `at_a`, `at_b`: of the block's first filter in taps 0 and 1.
template <bool Relu>
inline __attribute__((always_inline)) void compare_block(const std::vector<Tap>& taps, std::size_t at_a,
                                                         std::size_t at_b, std::size_t first, std::size_t width,
                                                         double* fold, double* engine) {
  double original_ab[block], exported_ab[block], worst_fold[block], worst_engine[block];
  float a[block], b[block], ab[block];
  for (std::size_t i = 0; i < block; ++i) {
    original_ab[i] = taps[0].original[at_a + i] + taps[1].original[at_b + i];
    exported_ab[i] = taps[0].exported[at_a + i] + taps[1].exported[at_b + i];
    a[i] = taps[0].table[at_a + i];
    b[i] = taps[1].table[at_b + i];
    ab[i] = a[i] + b[i];
    worst_fold[i] = fold[i];
    worst_engine[i] = engine[i];
  }
  const Tap& last = taps[2];
  for (std::size_t t = 0; t < last.tokens; ++t) {
    const double* original_c = &last.original[t * width + first];
    const double* exported_c = &last.exported[t * width + first];
    const float* c = &last.table[t * width + first];
    for (std::size_t i = 0; i < block; ++i) {
      double original = original_ab[i] + original_c[i];
      double exported = exported_ab[i] + exported_c[i];
      const float one = ab[i] + c[i];
      const float two = (a[i] + c[i]) + b[i];
      const float three = (b[i] + c[i]) + a[i];
      float low = one < two ? one : two;
      low = low < three ? low : three;
      float high = one < two ? two : one;
      high = high < three ? three : high;
      if constexpr (Relu) {
        original = original > 0 ? original : 0;
        exported = exported > 0 ? exported : 0;
        low = low > 0 ? low : 0;
        high = high > 0 ? high : 0;
      }
      const double below = original - static_cast<double>(low);
      const double above = static_cast<double>(high) - original;
      const double folded = std::fabs(exported - original);
      const double worst = below < above ? above : below;
      worst_fold[i] = worst_fold[i] < folded ? folded : worst_fold[i];
      worst_engine[i] = worst_engine[i] < worst ? worst : worst_engine[i];
    }
  }
  for (std::size_t i = 0; i < block; ++i) {
    fold[i] = worst_fold[i];
    engine[i] = worst_engine[i];
  }
}

/// All windows that begin with tokens a and b.
BYTECNN_FOR_WIDER_VECTORS
void compare_last_taps(const std::vector<Tap>& taps, std::size_t a, std::size_t b, std::size_t width, bool relu,
                       double* fold, double* engine) {
  for (std::size_t first = 0; first < width; first += block) {
    if (relu) {
      compare_block<true>(taps, a * width + first, b * width + first, first, width, fold + first, engine + first);
    } else {
      compare_block<false>(taps, a * width + first, b * width + first, first, width, fold + first, engine + first);
    }
  }
}

/// The exported numbers as an exact layer.
SeparableColumns exported_parts(const Model& model, const std::vector<std::size_t>& tokens) {
  const auto exact = [](const std::vector<float>& numbers) {
    return ExactTensor{{numbers.begin(), numbers.end()}, std::vector<double>(numbers.size(), 0.0)};
  };
  const ConvWeights& conv = model.weights.conv[0];
  const ExactConv layer{exact(conv.weight), exact(conv.bias), {}, {}};
  const ConvBlock exported{model.architecture.conv_layers[0], layer, conv, 0};
  return first_layer_parts(exported, {model.weights.embedding.begin(), model.weights.embedding.end()},
                           model.architecture.embed_dim, tokens);
}

std::size_t padded_width(std::size_t filters) {
  return (filters + block - 1) / block * block;
}

std::vector<Tap> taps_of(const SeparableColumns& original, const SeparableColumns& exported, const Model& model,
                         const std::vector<std::size_t>& tokens) {
  const std::vector<double> rows = first_layer_rows(model);
  const std::size_t filters = original.channels;
  const std::size_t width = padded_width(filters);
  std::vector<Tap> taps(most_taps);
  for (std::size_t k = 0; k < most_taps; ++k) {
    Tap& tap = taps[k];
    tap.tokens = k < original.taps ? original.tokens : 1;
    tap.original.assign(tap.tokens * width, 0.0);
    tap.exported.assign(tap.tokens * width, 0.0);
    tap.table.assign(tap.tokens * width, 0.0F);
    if (k >= original.taps) continue;
    for (std::size_t t = 0; t < original.tokens; ++t) {
      const std::size_t token = t < tokens.size() ? tokens[t] : model.architecture.vocab_size;
      const std::size_t part = (k * original.tokens + t) * filters;
      std::copy_n(&original.part[part], filters, &tap.original[t * width]);
      std::copy_n(&exported.part[part], filters, &tap.exported[t * width]);
      std::transform(&rows[(token * original.taps + k) * filters],
                     &rows[(token * original.taps + k) * filters] + filters, &tap.table[t * width],
                     [](double number) { return static_cast<float>(number); });
    }
  }
  return taps;
}

double largest(const std::vector<double>& values) {
  double size = 0;
  for (const double value : values) size = std::max(size, std::abs(value));
  return size;
}

}  // namespace

bool suits_all_windows(const Architecture& architecture) noexcept {
  return architecture.conv_layers.front().kernel_size <= most_taps;
}

WindowErrors run_all_windows(const SeparableColumns& exact, const Model& model,
                             const std::vector<std::size_t>& tokens) {
  const SeparableColumns exported = exported_parts(model, tokens);
  const std::vector<Tap> taps = taps_of(exact, exported, model, tokens);
  const std::size_t filters = exact.channels;
  const bool relu = exact.activation.kind == Activation::Kind::relu;
  WindowErrors errors{std::vector<double>(filters, 0.0), std::vector<double>(filters, 0.0),
                      std::uint64_t{taps[0].tokens} * taps[1].tokens * taps[2].tokens};

  std::atomic<std::size_t> next = 0;
  std::mutex result;
  const auto work = [&] {
    const std::size_t width = padded_width(filters);
    std::vector<double> fold(width, 0.0);
    std::vector<double> engine(width, 0.0);
    for (std::size_t a = next++; a < taps[0].tokens; a = next++) {
      for (std::size_t b = 0; b < taps[1].tokens; ++b) {
        compare_last_taps(taps, a, b, width, relu, fold.data(), engine.data());
      }
    }
    const std::lock_guard lock(result);
    for (std::size_t f = 0; f < filters; ++f) {
      errors.fold[f] = std::max(errors.fold[f], fold[f]);
      errors.engine[f] = std::max(errors.engine[f], engine[f]);
    }
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::clamp(std::thread::hardware_concurrency(), 1U, 64U); ++i) threads.emplace_back(work);
  }
  // The comparison itself ran in double.
  const double own = own_rounding(static_cast<double>(most_taps) * (largest(exact.part) + largest(exported.part)), 8) +
                     static_cast<double>(most_taps) * (exact.uncertainty + exported.uncertainty);
  for (std::size_t f = 0; f < filters; ++f) {
    errors.fold[f] += own;
    errors.engine[f] += own;
  }
  return errors;
}

}  // namespace bytecnn::exporter
