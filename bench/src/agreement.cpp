#include "agreement.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

namespace bytecnn::bench {
namespace {

/// The reference takes a hundred milliseconds a text on the largest network.
constexpr std::size_t texts_for_reference = 2;
constexpr std::size_t texts_for_scores = 16;
/// A contender of many milliseconds a text need not run them all.
constexpr std::chrono::milliseconds time_for_logits{100};
constexpr std::size_t least_texts = 8;

template <class Expected>
double difference(std::span<const Expected> expected, std::span<const float> found) {
  double scale = 1;
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
    const double error = std::abs(static_cast<double>(expected[i]) - static_cast<double>(found[i]));
    worst = error <= worst ? worst : error;  // a NaN is the worst of all
  }
  return worst / scale;
}

void require(double difference, const std::string& who, const std::string& whom, std::size_t text) {
  if (difference <= agreement_tolerance) return;
  char found[32];
  char allowed[48];
  std::snprintf(found, sizeof found, "%.3g S", difference);
  std::snprintf(allowed, sizeof allowed, "a difference of %.3g S at most", agreement_tolerance);
  throw Error(ErrorCode::invalid, "contenders do not compute the same; nothing was timed",
              who + " against " + whom + ", text " + std::to_string(text), allowed, found);
}

}  // namespace

double check_agreement(const Model& model, std::span<const std::unique_ptr<Contender>> contenders,
                       std::span<const Text> texts) {
  Contender& first = *contenders.front();
  double worst = 0;
  std::vector<float> expected(model.architecture.outputs);
  std::vector<float> found(model.architecture.outputs);
  const auto keep_worst = [&worst](double difference) { worst = difference <= worst ? worst : difference; };
  for (std::size_t t = 0; t < std::min(texts.size(), texts_for_reference); ++t) {
    first.logits(texts[t], found);
    keep_worst(difference<double>(reference_logits(model, texts[t]), found));
    require(worst, first.name(), "the reference", t);
  }
  for (const auto& contender : contenders.subspan(1)) {
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t t = 0; t < texts.size(); ++t) {
      if (t >= least_texts && std::chrono::steady_clock::now() - start > time_for_logits) break;
      first.logits(texts[t], expected);
      contender->logits(texts[t], found);
      keep_worst(difference<float>(expected, found));
      require(worst, contender->name(), first.name(), t);
    }
  }
  const std::span<const Text> scored = texts.first(std::min(texts.size(), texts_for_scores));
  const auto count = static_cast<double>(scored.size());
  const double score = first.classify_each(scored) / count;
  for (const auto& contender : contenders.subspan(1)) {
    // The scores are what is timed; their mean is enough, for the logits were compared one by one.
    const double other = contender->classify_each(scored) / count;
    const double error = std::abs(other - score) / std::max(1.0, std::abs(score));
    keep_worst(error);
    require(error, contender->name() + "'s scores", first.name(), 0);
  }
  return worst;
}

}  // namespace bytecnn::bench
