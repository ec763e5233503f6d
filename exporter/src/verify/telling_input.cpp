#include "verify/telling_input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "verify/corpus.hpp"

namespace bytecnn::exporter {
namespace {

constexpr std::size_t most_inputs = 6000;
constexpr double clear_difference = 1e-3;  // of the largest logit: a hundred times what any stage allows

using Logits = std::optional<std::vector<double>>;

Logits run(const Model& model, const Bytes& input) {
  try {
    return reference_logits(model, input);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid) return std::nullopt;
    throw;
  }
}

/// Relative to max(1, largest |logit|); infinite where one side refuses.
double difference(const Logits& a, const Logits& b) {
  if (a.has_value() != b.has_value()) return std::numeric_limits<double>::infinity();
  double worst = 0;
  double scale = 1;
  for (std::size_t i = 0; a && i < std::min(a->size(), b->size()); ++i) {
    scale = std::max(scale, std::abs((*a)[i]));
    worst = std::max(worst, std::abs((*a)[i] - (*b)[i]));
  }
  return worst / scale;
}

Bytes next_input(std::mt19937_64& random, std::size_t shorter, std::size_t longer) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  const auto byte = [&] { return static_cast<std::byte>(random() & 0xFFU); };
  const std::size_t around = below(2) == 0 ? shorter : longer;
  const std::size_t length =
      below(2) == 0 ? below(longer + 4) : std::max<std::size_t>(around, 4) - 4 + below(9);  // anywhere, or at a border
  Bytes bytes(length, byte());
  const std::size_t kind = below(3);
  // A run alone shows what padding does; bytes at its ends show what each border does; random bytes show the rest.
  const std::size_t ends = kind == 0 ? 0 : kind == 1 ? 1 + below(6) : length;
  for (std::size_t i = 0; i < std::min(ends, length); ++i) {
    bytes[i] = byte();
    bytes[length - 1 - i] = byte();
  }
  return bytes;
}

}  // namespace

TellingInputSearch search_telling_input(const Model& right, const Model& model, std::uint64_t seed,
                                        std::uint64_t work_limit) {
  TellingInputSearch search;
  std::mt19937_64 random(seed);
  // A list, whose result is a pair of values: that of two arguments would refer to temporaries.
  const auto [shorter, longer] =
      std::minmax({std::size_t{right.architecture.max_len}, std::size_t{model.architecture.max_len}});
  double most = 0;
  std::uint64_t work = 0;
  while (search.tried < most_inputs && most < clear_difference) {
    Bytes input = next_input(random, shorter, longer);
    work += reference_work(right.architecture, input.size()) + reference_work(model.architecture, input.size());
    if (search.tried > 0 && work > work_limit) break;
    ++search.tried;
    const double found = difference(run(right, input), run(model, input));
    if (!(found > most)) continue;
    most = found;
    search.input = NamedInput{"telling input of " + std::to_string(input.size()) + " bytes", std::move(input),
                              "searched for the difference"};
  }
  return search;
}

}  // namespace bytecnn::exporter
