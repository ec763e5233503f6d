// Winograd's algorithm in float, step by step as the kernels run it, against its rounding bound.

#include "verify/bound/winograd_error.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "winograd.hpp"

namespace bytecnn::exporter::testing {
namespace {

struct Case {
  std::uint32_t outputs, kernel;
  std::size_t channels, chain;
  bool fused;
};

float multiply_add(bool fused, float a, float b, float c) {
  if (fused) return std::fma(a, b, c);
  const float product = a * b;
  return product + c;
}

/// One filter of one tile: columns[point][channel] in, outputs out.
std::vector<float> tile(const WinogradTransform& t, const Case& test, const std::vector<float>& taps, float bias,
                        const std::vector<float>& columns) {
  const std::size_t points = t.points();
  const auto d = [&](std::size_t j, std::size_t c) { return columns[j * test.channels + c]; };
  std::vector<float> products(points, 0.0F);
  std::vector<float> chain(points, 0.0F);
  std::vector<float> window(t.kernel);
  for (std::size_t c = 0; c < test.channels; ++c) {
    std::vector<float> u(points);
    u[0] = d(2 * t.pairs, c);
    u[points - 1] = d(2 * t.pairs + 1, c);
    for (std::size_t j = 0; j < t.pairs; ++j) {
      u[0] = multiply_add(test.fused, d(2 * j, c), t.ends[j], u[0]);
      u[points - 1] = multiply_add(test.fused, d(2 * j + 1, c), t.ends[j], u[points - 1]);
      float even = d(2 * t.pairs, c);
      float odd = d(2 * t.pairs - 1, c);
      for (std::size_t i = 0; i + 1 < t.pairs; ++i) {
        even = multiply_add(test.fused, d(2 * i + 2, c), t.others[j][i], even);
        odd = multiply_add(test.fused, d(2 * i + 1, c), t.others[j][i], odd);
      }
      u[1 + 2 * j] = multiply_add(test.fused, odd, t.point[j], even);
      u[2 + 2 * j] = multiply_add(test.fused, odd, -t.point[j], even);
    }
    for (std::size_t k = 0; k < t.kernel; ++k) window[k] = taps[k * test.channels + c];
    for (std::size_t p = 0; p < points; ++p) {
      const float w = winograd_weight(t, p, window.data());
      chain[p] = multiply_add(test.fused, w, u[p], c % test.chain == 0 ? 0.0F : chain[p]);
      if ((c + 1) % test.chain == 0 || c + 1 == test.channels) products[p] += chain[p];
    }
  }
  std::vector<float> outputs(t.outputs);
  for (std::size_t i = 0; i < t.outputs; ++i) {
    float sum = i == 0 ? bias + products[0] : i + 1 == t.outputs ? bias + products[points - 1] : bias;
    for (std::size_t j = 0; j < t.pairs; ++j) {
      const float sign = i % 2 == 0 ? 1.0F : -1.0F;
      const float both = products[1 + 2 * j] + sign * products[2 + 2 * j];
      sum = multiply_add(test.fused, both, t.powers[i / 2][j][i % 2], sum);
    }
    outputs[i] = sum;
  }
  return outputs;
}

class WinogradError : public ::testing::TestWithParam<Case> {};

TEST_P(WinogradError, BoundsATileThatWasSearchedToViolateIt) {
  const Case test = GetParam();
  std::mt19937 random(7);
  const auto uniform = [&](float low, float high) { return std::uniform_real_distribution<float>(low, high)(random); };
  const WinogradTransform t = make_winograd_transform(test.outputs, test.kernel);
  FilterTaps taps;
  taps.channels = test.channels;
  taps.kernel = test.kernel;
  std::vector<float> exported;
  ColumnBounds input;
  for (std::size_t i = 0; i < test.kernel * test.channels; ++i) {
    const double exact = static_cast<double>(uniform(-1, 1)) * (1 + 1e-9);
    exported.push_back(static_cast<float>(exact));
    taps.exact.push_back(exact);
    taps.exported.push_back(static_cast<double>(exported.back()));
    taps.deviation.push_back(taps.exported.back() - exact);
    taps.uncertainty.push_back(0);
  }
  for (std::size_t c = 0; c < test.channels; ++c) input.range.push_back({0, static_cast<double>(uniform(0.5F, 2))});
  const float bias = uniform(-1, 1);
  const WinogradWay way{t, test.chain};
  const double bound = winograd_error(way, taps, bias, input, std::vector<double>(test.channels, 0.0), 0x1p-24).bound;

  const auto difference = [&](const std::vector<float>& columns) {
    const auto found = tile(t, test, exported, bias, columns);
    double worst = 0;
    for (std::size_t i = 0; i < t.outputs; ++i) {
      double sum = static_cast<double>(bias);
      for (std::size_t k = 0; k < t.kernel; ++k) {
        for (std::size_t c = 0; c < test.channels; ++c) {
          sum += taps.exact[k * test.channels + c] * static_cast<double>(columns[(i + k) * test.channels + c]);
        }
      }
      worst = std::max(worst, std::abs(static_cast<double>(found[i]) - sum));
    }
    return worst;
  };
  double most = 0;
  for (int start = 0; start < 6; ++start) {
    std::vector<float> best(t.points() * test.channels);
    const auto draw = [&](std::size_t i) {
      const auto high = static_cast<float>(input.range[i % test.channels].high);
      return start % 2 == 0 ? uniform(0, high) : random() % 2 == 0 ? high : 0.0F;
    };
    for (std::size_t i = 0; i < best.size(); ++i) best[i] = draw(i);
    double found = difference(best);
    for (unsigned step = 0; step < 400; ++step) {
      auto next = best;
      for (std::size_t changed = 0; changed <= step % 4; ++changed) {
        const std::size_t i = random() % next.size();
        next[i] = draw(i);
      }
      const double now = difference(next);
      if (now <= found) continue;
      found = now;
      best = next;
    }
    most = std::max(most, found);
  }
  EXPECT_LE(most, bound);
  EXPECT_GT(most, bound / (20 * std::sqrt(static_cast<double>(test.channels)))) << "the bound is idle";
}

INSTANTIATE_TEST_SUITE_P(Transforms, WinogradError,
                         ::testing::Values(Case{4, 5, 1, 32, true}, Case{4, 5, 1, 32, false}, Case{2, 3, 3, 32, true},
                                           Case{4, 3, 20, 16, false}, Case{4, 5, 40, 20, true},
                                           Case{2, 5, 33, 11, false}));

/// x[c] = relu(part[0][t0][c] + part[1][t1][c]) over all pairs of tokens.
TEST(PartialSumsOfSeparableColumns, CoverEveryWindow) {
  constexpr std::size_t taps = 2, tokens = 9, channels = 7, chain = 3;
  for (const auto kind : {Activation::Kind::relu, Activation::Kind::none, Activation::Kind::gelu}) {
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-1, 1);
    SeparableColumns parts;
    parts.taps = taps;
    parts.tokens = tokens;
    parts.channels = channels;
    parts.activation.kind = kind;
    for (std::size_t i = 0; i < taps * tokens * channels; ++i) parts.part.push_back(uniform(random));
    std::vector<double> w(channels);
    for (double& x : w) x = uniform(random);
    const auto column = [&](std::size_t a, std::size_t b, std::size_t c) {
      const double x = parts.part[a * channels + c] + parts.part[(tokens + b) * channels + c];
      if (kind == Activation::Kind::relu) return std::max(x, 0.0);
      return kind == Activation::Kind::none ? x : 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    };
    ColumnBounds columns;
    columns.range.assign(channels, Interval{1e9, -1e9});
    for (std::size_t i = 0; i < tokens * tokens * channels; ++i) {
      const double x = column(i / channels / tokens, i / channels % tokens, i % channels);
      auto& range = columns.range[i % channels];
      range = {std::min(range.low, x), std::max(range.high, x)};
    }
    const PartialSums by_ranges = columns.largest_partial_sums(w, 0, chain);
    columns.set_separable(parts);
    const PartialSums joint = columns.largest_partial_sums(w, 0, chain);
    ASSERT_EQ(joint.chain.size(), channels);
    ASSERT_EQ(joint.total.size(), 3U);
    for (std::size_t pair = 0; pair < tokens * tokens; ++pair) {
      double total = 0;
      double running = 0;
      for (std::size_t c = 0; c < channels; ++c) {
        if (c % chain == 0) running = 0;
        const double term = w[c] * column(pair / tokens, pair % tokens, c);
        running += term;
        total += term;
        EXPECT_LE(running, joint.chain[c]);
        if ((c + 1) % chain == 0 || c + 1 == channels) {
          EXPECT_LE(total, joint.total[c / chain]);
        }
      }
    }
    for (std::size_t c = 0; c < channels; ++c) EXPECT_LE(joint.chain[c], by_ranges.chain[c] + 1e-12);
    if (kind == Activation::Kind::none) {
      EXPECT_LT(joint.total[2], 0.9 * by_ranges.total[2]);
    }
  }
}

}  // namespace
}  // namespace bytecnn::exporter::testing
