#include "search/structure_classes.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "original_columns.hpp"

namespace bytecnn::exporter {
namespace {

struct Probe {
  std::vector<std::byte> input;
  std::string description;
};

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// Inputs on which structures differ that agree on others: empty, short, round every max_len, long, all bytes.
std::vector<Probe> probes_for(const std::vector<Structure>& structures) {
  std::mt19937 random(1);
  const auto random_bytes = [&](std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random() & 255U);
    return bytes;
  };
  std::vector<Probe> probes{{{}, "an empty input"}, {bytes_of("a"), "an input of one byte"}};
  for (const std::size_t size : {2U, 3U, 5U, 8U, 13U}) {
    probes.push_back({random_bytes(size), "an input of " + std::to_string(size) + " bytes"});
  }
  probes.push_back({bytes_of("The quick brown fox jumps over the lazy dog."), "a text of 44 bytes"});
  probes.push_back({std::vector<std::byte>(9, std::byte{0}), "nine zero bytes"});
  std::set<std::size_t> sizes{120};
  for (const Structure& structure : structures) {
    const std::size_t length = structure.architecture.max_len;
    if (length > 8192) continue;
    for (const std::size_t size : {length - 1, length, length + 1, length + 64}) sizes.insert(size);
  }
  for (const std::size_t size : sizes) {
    if (probes.size() < 40) probes.push_back({random_bytes(size), "an input of " + std::to_string(size) + " bytes"});
  }
  return probes;
}

/// Logits of one structure on every probe; none where the input is too short for it.
using Answers = std::vector<std::optional<std::vector<double>>>;

Answers answers_of(const Original& original, const Architecture& architecture, const std::vector<Probe>& probes) {
  Answers answers;
  for (const Probe& probe : probes) {
    if (long_enough(architecture, probe.input.size())) {
      answers.emplace_back(original_logits(original, architecture, probe.input));
    } else {
      answers.emplace_back();
    }
  }
  return answers;
}

/// The difference on one probe; infinite where one refuses it.
double distance(const Answers& a, const Answers& b, std::size_t probe) {
  if (!a[probe] && !b[probe]) return 0;
  if (!a[probe] || !b[probe]) return INFINITY;
  double worst = 0;
  for (std::size_t i = 0; i < a[probe]->size(); ++i) {
    worst = std::max(worst, std::abs((*a[probe])[i] - (*b[probe])[i]));
  }
  return worst;
}

/// The first probe that tells two structures apart beyond `least`, better one far beyond it.
std::optional<std::size_t> telling_probe(const Answers& a, const Answers& b, double least, double clear) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double apart = distance(a, b, i);
    if (apart > clear) return i;
    if (apart > least && !found) found = i;
  }
  return found;
}

}  // namespace

void classify_structures(const Original& original, const RecordMatch& match, std::vector<Structure> fitting,
                         SearchResult& result) {
  // A price says which of two equals is the usual one; the error, which is no rounding, which is right.
  const double best = std::min_element(fitting.begin(), fitting.end(), [](const Structure& a, const Structure& b) {
                        return a.worst < b.worst;
                      })->worst;
  const double as_good = std::max(10 * best, match.rounding());
  std::vector<Structure> good;
  for (Structure& structure : fitting)
    (structure.worst <= as_good ? good : result.close).push_back(std::move(structure));
  std::stable_sort(good.begin(), good.end(), [](const Structure& a, const Structure& b) { return a.price < b.price; });
  std::stable_sort(result.close.begin(), result.close.end(),
                   [](const Structure& a, const Structure& b) { return a.worst < b.worst; });

  const std::vector<Probe> probes = probes_for(good);
  std::vector<Answers> answers;  // of every class's first member
  for (Structure& structure : good) {
    const Answers own = answers_of(original, structure.architecture, probes);
    const auto same = std::find_if(answers.begin(), answers.end(), [&](const Answers& other) {
      return !telling_probe(own, other, match.rounding(), match.rounding());
    });
    if (same != answers.end() &&
        result.fits[static_cast<std::size_t>(same - answers.begin())].front().recorded == structure.recorded) {
      result.fits[static_cast<std::size_t>(same - answers.begin())].push_back(std::move(structure));
    } else {
      result.fits.push_back({std::move(structure)});
      answers.push_back(own);
    }
  }
  for (std::size_t i = 1; i < result.fits.size(); ++i) {
    const auto probe = telling_probe(answers[0], answers[i], match.rounding(), 100 * match.tolerance());
    if (!probe) continue;
    result.telling.push_back({0, i, probes[*probe].input, probes[*probe].description,
                              answers[0][*probe].value_or(std::vector<double>{}),
                              answers[i][*probe].value_or(std::vector<double>{})});
  }
}

}  // namespace bytecnn::exporter
