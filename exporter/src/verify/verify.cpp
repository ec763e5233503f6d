#include "verify/verify.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/reference.hpp"

#include "verify/bound/input_bound.hpp"
#include "verify/cause/likeliest_cause.hpp"
#include "verify/corpus.hpp"
#include "verify/decision.hpp"
#include "verify/layer_comparison.hpp"
#include "verify/recorded_cases.hpp"
#include "verify/stage_comparison.hpp"
#include "verify/telling_input.hpp"
#include "verify/weights_stage.hpp"

namespace bytecnn::exporter {
namespace {

/// Logits of one input, or nothing where it is refused as too short.
using Logits = std::optional<std::vector<double>>;

/// `compute`, whose refusal of an input (Error invalid) is an answer and not a failure.
template <class Compute>
Logits logits_or_refusal(Compute&& compute) {
  try {
    return compute();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::invalid) return std::nullopt;
    throw;
  }
}

bool too_short(const Architecture& architecture, const Bytes& input) {
  const std::uint64_t kept = std::min<std::uint64_t>(input.size(), architecture.max_len);
  const std::uint64_t positions = architecture.pad_token ? architecture.max_len : kept;
  return architecture.pooled_positions(positions) < minimum_pooled_positions(architecture.pooling);
}

/// The double reference of many inputs, spread over all cores, while the caller runs the original.
class ReferenceRuns {
 public:
  ReferenceRuns(const Model& model, const std::vector<NamedInput>& inputs) : results_(inputs.size()) {
    const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, 64U);
    for (unsigned i = 0; i < cores; ++i) {
      threads_.emplace_back([this, &model, &inputs] { work(model, inputs); });
    }
  }
  ReferenceRuns(const ReferenceRuns&) = delete;
  ReferenceRuns& operator=(const ReferenceRuns&) = delete;
  ~ReferenceRuns() { next_ = results_.size(); }  // before the threads are joined: nobody waits for what nobody reads

  [[nodiscard]] const std::vector<Logits>& wait() {
    threads_.clear();
    if (failure_) std::rethrow_exception(failure_);
    return results_;
  }

 private:
  void work(const Model& model, const std::vector<NamedInput>& inputs) {
    try {
      for (std::size_t i = next_++; i < inputs.size(); i = next_++) {
        results_[i] = logits_or_refusal([&] { return reference_logits(model, inputs[i].bytes); });
      }
    } catch (...) {
      const std::lock_guard lock(failure_mutex_);
      failure_ = std::current_exception();
      next_ = inputs.size();
    }
  }

  std::vector<Logits> results_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;  // last: joined before anything they use is gone
};

class Verification {
 public:
  Verification(const Original& original, OriginalRunner& runner, const Model& model, const VerifyOptions& options)
      : original_(original), runner_(runner), model_(model), options_(options) {}

  VerifyReport run() {
    const auto& theirs = original_.architecture;
    if (theirs.outputs != model_.architecture.outputs) {
      throw Error(ErrorCode::invalid, "the model cannot be an export of this checkpoint: another number of outputs",
                  "/architecture", std::to_string(theirs.outputs), std::to_string(model_.architecture.outputs));
    }
    report_.differences = architecture_differences(theirs, model_.architecture);
    report_.torch_version = runner_.engine();
    report_.seed = options_.seed;
    inputs_ = verification_inputs(model_, options_);
    if (!report_.differences.empty()) add_telling_input();
    for (const auto& input : inputs_) {
      report_.input_names.push_back(input.name);
      count_kind(input.kind);
    }

    ReferenceRuns references(model_, inputs_);
    run_original();
    run_engines();
    compare_fold(references.wait());
    report_.stages.insert(report_.stages.begin(), compare_weights(original_, model_));
    if (!options_.reference.empty()) compare_recorded();
    name_places();
    explain_failures();
    find_causes();
    find_condition();
    report_.bound = bound_every_input(original_, model_, options_.exhaustive);
    if (options_.arithmetic != bytecnn::Arithmetic::float32)
      report_.bound->engines.clear();  // the analysis is of floats
    report_.cases = recorded_cases(report_, inputs_, originals_);

    const auto pooling = original_.sources.find("pooling");
    const bool from_graph = pooling != original_.sources.end() && pooling->second == "torchscript";
    report_.structure_checked = from_graph || !options_.reference.empty();
    report_.passed = std::all_of(report_.stages.begin(), report_.stages.end(),
                                 [](const StageReport& stage) { return stage.passed; });
    return std::move(report_);
  }

 private:
  /// The structures differ: an input is wanted that shows it.
  void add_telling_input() {
    // Of its own: it ends at the first clear difference, and only what seems equal takes all of it.
    constexpr std::uint64_t most_work = 1'000'000'000;
    try {
      auto search = search_telling_input(fold(original_), model_, options_.seed, most_work);
      report_.searched_for_difference = search.tried;
      if (search.input) inputs_.push_back(std::move(*search.input));
    } catch (const Error&) {
      // An original that cannot be folded at all; the stages say the rest.
    }
  }

  void count_kind(const std::string& kind) {
    auto& kinds = report_.input_kinds;
    auto known = std::find_if(kinds.begin(), kinds.end(), [&](const auto& entry) { return entry.first == kind; });
    if (known == kinds.end()) known = kinds.insert(known, {kind, 0});
    ++known->second;
  }

  void progress(std::size_t done) const {
    if (options_.progress) options_.progress(done, inputs_.size());
  }

  std::vector<double> original_scores(std::size_t input) const {
    return reference_scores(original_.architecture.output, *originals_[input]);
  }

  void run_original() {
    report_.smallest_margin = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const Bytes& bytes = inputs_[i].bytes;
      progress(i);
      if (too_short(original_.architecture, bytes)) {
        // The runner must say so too: that is its contract.
        originals_.push_back(logits_or_refusal([&] { return runner_.logits(bytes); }));
        if (originals_.back()) throw Error(ErrorCode::invalid, "the original takes an input that is too short for it");
        ++report_.refused;
        continue;
      }
      originals_.emplace_back(runner_.logits(bytes));
      const auto& logits = *originals_.back();
      const auto single = runner_.logits_float32(bytes);
      for (std::size_t output = 0; output < logits.size(); ++output) {
        if (std::isfinite(logits[output])) report_.scale = std::max(report_.scale, std::abs(logits[output]));
        const double error = std::abs(logits[output] - single[output]);
        if (error > report_.float32_error) {
          report_.float32_error = error;
          report_.float32_error_input = i;
        }
      }
      const double distance = margin(original_.architecture, model_.info, original_scores(i));
      if (distance < report_.smallest_margin) {
        report_.smallest_margin = distance;
        report_.smallest_margin_input = i;
      }
    }
    progress(inputs_.size());
  }

  /// One input of a stage, both sides. Labels count where the original is further than `firm` from another one.
  void compare(StageComparison& stage, std::size_t input, const Logits& found, std::span<const double> found_scores,
               double firm) {
    const Logits& expected = originals_[input];
    if (expected.has_value() != found.has_value()) {
      stage.refused_by_one(input);
      return;
    }
    if (!expected) return;
    stage.compare(input, *expected, *found);
    const auto scores = original_scores(input);
    stage.compare_scores(scores, found_scores);
    if (margin(original_.architecture, model_.info, scores) > firm &&
        decide(original_.architecture, model_.info, scores) != decide(model_.architecture, model_.info, found_scores)) {
      stage.label_flip(input);
    }
  }

  void compare_fold(const std::vector<Logits>& references) {
    StageComparison stage("fold", options_.fold_tolerance * report_.scale, report_.scale, 0);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const auto scores =
          references[i] ? reference_scores(model_.architecture.output, *references[i]) : std::vector<double>{};
      compare(stage, i, references[i], scores, options_.engine_tolerance);
    }
    report_.stages.insert(report_.stages.begin(), stage.report());
  }

  void run_engines() {
    report_.arithmetic = options_.arithmetic;
    std::vector<float> logits(model_.architecture.outputs);
    std::vector<float> scores(model_.architecture.outputs);
    for (const Isa isa : supported_isas()) {
      if (isa == Isa::reference) continue;  // that is the stage fold
      const Classifier classifier(model_, ClassifierOptions{isa, options_.arithmetic});
      // Fixed point may cost what it can cost by proof, beside what float may; a score never moves more than its logit.
      const double fixed_point = classifier.arithmetic_error_bound().value_or(0);
      report_.arithmetic_error_bound = std::max(report_.arithmetic_error_bound, fixed_point);
      const double score_tolerance = options_.engine_tolerance + fixed_point;
      StageComparison stage("engine " + std::string(to_string(isa)),
                            options_.engine_tolerance * report_.scale + fixed_point, report_.scale, score_tolerance);
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        const Result result = classifier.classify(inputs_[i].bytes, logits, scores);
        if (result.status == Status::out_of_memory) {
          throw Error(ErrorCode::limit, "the engine could not get its working memory");
        }
        const std::vector<double> found_scores(scores.begin(), scores.end());
        compare(stage, i,
                result.status == Status::ok ? Logits(std::in_place, logits.begin(), logits.end()) : std::nullopt,
                found_scores, score_tolerance);
      }
      report_.stages.push_back(stage.report());
    }
  }

  void compare_recorded() {
    double scale = report_.scale;
    for (const auto& record : options_.reference) {
      if (record.logits.size() != original_.architecture.outputs) {
        throw Error(ErrorCode::invalid, "the recorded reference does not fit the model: another number of logits",
                    "the reference", std::to_string(original_.architecture.outputs),
                    std::to_string(record.logits.size()));
      }
      for (const double logit : record.logits) {
        if (std::isfinite(logit)) scale = std::max(scale, std::abs(logit));
      }
    }
    const double tolerance = (options_.reference_is_double ? 1e-5 : 1e-4) * scale;
    StageComparison stage("reference", tolerance, scale, 0);
    for (std::size_t i = 0; i < options_.reference.size(); ++i) {
      const auto& record = options_.reference[i];
      const Logits found = logits_or_refusal([&] { return runner_.logits(record.input); });
      if (!found) {
        stage.refused_by_one(i);
        continue;
      }
      stage.compare(i, record.logits, *found);
      const auto output = original_.architecture.output;
      stage.compare_scores(reference_scores(output, record.logits), reference_scores(output, *found));
    }
    report_.stages.push_back(stage.report());
  }

  void name_places() {
    for (auto& stage : report_.stages) {
      if (stage.name == "weights") continue;
      stage.worst_place = stage.name == "reference" ? "record " + std::to_string(stage.worst_input + 1)
                                                    : inputs_[stage.worst_input].name;
      if (original_.architecture.outputs > 1) stage.worst_place += ", output " + std::to_string(stage.worst_output);
    }
  }

  /// Which known mistakes explain what failed.
  void find_causes() {
    constexpr std::size_t most_probes = 8;
    std::vector<Bytes> probes;
    bool wrong_export = false;
    const StageReport* reference = nullptr;
    for (const auto& stage : report_.stages) {
      if (stage.name == "reference") reference = &stage;
      const bool told_in_double = stage.name == "weights" || stage.name == "fold";
      if (stage.passed || !told_in_double) continue;
      wrong_export = true;
      for (const WorstInput& worst : stage.worst_inputs) {
        if (probes.size() < most_probes / 2) probes.push_back(inputs_[worst.input].bytes);
      }
    }
    if (wrong_export) {
      for (std::size_t i = 0; i < inputs_.size() && probes.size() < most_probes; i += 1 + inputs_.size() / 5) {
        probes.push_back(inputs_[i].bytes);
      }
      report_.causes = causes_of_wrong_export(original_, model_, probes, options_.fold_tolerance * report_.scale);
    }
    if (original_.architecture.output != model_.architecture.output) {
      report_.causes.push_back({"engine", "output",
                                "scores are " + std::string(to_string(model_.architecture.output)) + " instead of " +
                                    std::string(to_string(original_.architecture.output)),
                                0, 0, true});
    }
    if (reference != nullptr && !reference->passed) {
      const auto found = causes_of_wrong_records(original_, options_.reference, reference->tolerance);
      report_.causes.insert(report_.causes.end(), found.begin(), found.end());
    }
  }

  /// Of the inputs on which stages differ most, and a few others, as far as their cost allows.
  void find_condition() {
    constexpr std::size_t most_inputs = 6;
    constexpr std::uint64_t most_work = 150'000'000;
    std::vector<std::size_t> chosen;
    std::uint64_t work = 0;
    const auto choose = [&](std::size_t input) {
      if (chosen.size() >= most_inputs || input >= inputs_.size() || !originals_[input]) return;
      if (too_short(model_.architecture, inputs_[input].bytes) ||
          std::find(chosen.begin(), chosen.end(), input) != chosen.end()) {
        return;
      }
      work += reference_work(original_.architecture, inputs_[input].bytes.size());
      if (work <= most_work || chosen.empty()) chosen.push_back(input);
    };
    choose(report_.float32_error_input);
    for (const auto& stage : report_.stages) {
      if (stage.name != "weights" && stage.name != "reference") choose(stage.worst_input);
    }
    for (std::size_t i = 0; i < inputs_.size(); i += 1 + inputs_.size() / most_inputs) choose(i);
    if (chosen.empty()) return;
    std::vector<Bytes> bytes;
    for (const std::size_t input : chosen) bytes.push_back(inputs_[input].bytes);
    Conditioning found{condition_number(original_, bytes, report_.scale),
                       condition_number(as_computed(model_), bytes, report_.scale), bytes.size()};
    for (ConditionNumber* number : {&found.original, &found.exported}) {
      number->input = chosen[number->input];
      number->worst.input = chosen[number->worst.input];
    }
    report_.conditioning = found;
  }

  void explain_failures() {
    bool folded_well = false;
    for (auto& stage : report_.stages) {
      if (stage.name == "fold") folded_well = stage.passed;
      if (stage.passed || !stage.first_difference.empty()) continue;
      if (stage.name == "reference") {
        stage.first_difference =
            "the structure as it was understood does not give the recorded numbers: pooling, the order of batch norm "
            "and activation, eps, padding, max_len or pad_token is not what was assumed";
      } else if (stage.refused_by_one != 0 && stage.worst <= stage.tolerance) {
        stage.first_difference = std::to_string(stage.refused_by_one) +
                                 " inputs are too short for one side and not for the other (padding, pad_token, stride "
                                 "or kernel size)";
      } else if (stage.name != "fold" && folded_well) {
        stage.first_difference =
            "the folded weights are right in double, so the difference is the rounding of this engine in " +
            std::string(to_string(options_.arithmetic));
      } else {
        stage.first_difference = first_difference(original_.architecture, runner_, model_,
                                                  inputs_[stage.worst_input].bytes, options_.fold_tolerance);
      }
    }
  }

  const Original& original_;
  OriginalRunner& runner_;
  const Model& model_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::vector<NamedInput> inputs_;
  std::vector<Logits> originals_;
};

}  // namespace

VerifyReport verify(const Original& original, OriginalRunner& runner, const Model& model,
                    const VerifyOptions& options) {
  return Verification(original, runner, model, options).run();
}

}  // namespace bytecnn::exporter
