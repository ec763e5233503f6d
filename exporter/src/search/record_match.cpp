#include "search/record_match.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <tuple>

#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "original_columns.hpp"

namespace bytecnn::exporter {
namespace {

/// Texts of middle length with many different bytes tell most and cost little.
auto telling_order(const Golden& record) {
  const std::set<std::byte> different(record.input.begin(), record.input.end());
  const std::size_t size = record.input.size();
  const bool middling = size >= 16 && size <= 96;
  return std::tuple(!middling, size < 16 ? 16 - size : size, different.size() < 8);
}

bool every(const std::vector<Golden>& records, bool (*holds)(const std::vector<double>&)) {
  return std::all_of(records.begin(), records.end(), [&](const Golden& record) { return holds(record.logits); });
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

}  // namespace

std::string_view to_string(Recorded recorded) noexcept {
  switch (recorded) {
    case Recorded::logits:
      return "logits";
    case Recorded::sigmoid:
      return "sigmoid of the logits";
    case Recorded::softmax:
      return "softmax of the logits";
    case Recorded::log_softmax:
      return "log_softmax of the logits";
  }
  return "logits";
}

RecordMatch::RecordMatch(const RecordedReference& reference, std::uint32_t outputs) : is_double_(reference.is_double) {
  for (std::size_t i = 0; i < reference.records.size(); ++i) {
    const Golden& record = reference.records[i];
    const std::string place = "record " + std::to_string(i);
    if (record.logits.size() != outputs) {
      throw Error(ErrorCode::invalid, "the recording is not of this model: another number of outputs", place,
                  std::to_string(outputs), std::to_string(record.logits.size()));
    }
    for (const double logit : record.logits) {
      if (!std::isfinite(logit)) throw Error(ErrorCode::invalid, "a recorded number is not finite", place);
      scale_ = std::max(scale_, std::abs(logit));
    }
    places_.push_back(i);
  }
  std::stable_sort(places_.begin(), places_.end(), [&](std::size_t a, std::size_t b) {
    return telling_order(reference.records[a]) < telling_order(reference.records[b]);
  });
  for (const std::size_t place : places_) records_.push_back(reference.records[place]);

  const auto shares = [](const std::vector<double>& values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return value >= 0 && value <= 1; });
  };
  if (every(records_, shares)) readings_.push_back(Recorded::sigmoid);
  if (outputs > 1 && every(records_, shares) &&
      every(records_, [](const std::vector<double>& values) { return std::abs(sum_of(values) - 1) < 1e-4; })) {
    readings_.push_back(Recorded::softmax);
  }
  if (outputs > 1 && every(records_, [](const std::vector<double>& values) {
        std::vector<double> likely;
        for (const double value : values) likely.push_back(std::exp(value));
        return std::abs(sum_of(likely) - 1) < 1e-4;
      })) {
    readings_.push_back(Recorded::log_softmax);
  }
}

double RecordMatch::error(std::size_t record, Recorded recorded, const std::vector<double>& logits) const {
  std::vector<double> numbers = logits;
  if (recorded == Recorded::sigmoid) numbers = reference_scores(Output::sigmoid, logits);
  if (recorded == Recorded::softmax || recorded == Recorded::log_softmax) {
    numbers = reference_scores(Output::softmax, logits);
  }
  double worst = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = recorded == Recorded::log_softmax ? std::log(numbers[i]) : numbers[i];
    const double difference = std::abs(number - records_[record].logits[i]);
    if (!(difference <= worst)) worst = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
  }
  return worst;
}

bool RecordMatch::complete(const Original& original, Structure& structure, bool give_up) const {
  structure.worst = 0;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    const std::vector<std::byte>& input = records_[i].input;
    const double error =
        long_enough(structure.architecture, input.size())
            ? this->error(i, structure.recorded, original_logits(original, structure.architecture, input))
            : std::numeric_limits<double>::infinity();
    if (error > structure.worst || i == 0) {
      structure.worst = error;
      structure.worst_record = places_[i];
    }
    if (give_up && error > tolerance()) return false;
  }
  return structure.worst <= tolerance();
}

}  // namespace bytecnn::exporter
