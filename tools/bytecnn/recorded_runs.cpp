#include "recorded_runs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bytecnn/classifier.hpp"

namespace bytecnn::cli {

double logit_scale(std::span<const Golden> recorded) {
  double scale = 1;
  for (const Golden& input : recorded) {
    for (const double logit : input.logits) scale = std::max(scale, std::abs(logit));
  }
  return scale;
}

RecordedRun run_recorded(const Model& model, Isa isa, std::span<const Golden> recorded, Arithmetic arithmetic) {
  const Classifier classifier(model, ClassifierOptions{isa, arithmetic});
  std::vector<float> logits(classifier.outputs());
  RecordedRun run;
  run.isa = isa;
  run.arithmetic_error_bound = classifier.arithmetic_error_bound().value_or(0);
  double sum = 0;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const std::vector<double>& expected = recorded[i].logits;
    const Result result = classifier.classify(recorded[i].input, logits);
    const Status expected_status = expected.empty() ? Status::input_too_short : Status::ok;
    if (result.status != expected_status) {
      run.failure = result.status == Status::ok ? "takes an input that is too short for the original"
                                                : std::string(to_string(result.status));
      run.worst_input = i;
      return run;
    }
    if (expected.empty()) continue;
    for (std::size_t o = 0; o < logits.size(); ++o) {
      const auto found = static_cast<double>(logits[o]);
      double error = found == expected[o] ? 0 : std::abs(found - expected[o]);
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      sum += error;
      ++compared;
      if (error > run.worst) {
        run.worst = error;
        run.worst_input = i;
      }
    }
  }
  run.mean = compared == 0 ? 0 : sum / static_cast<double>(compared);
  return run;
}

}  // namespace bytecnn::cli
