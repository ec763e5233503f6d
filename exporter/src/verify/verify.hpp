#pragma once
/// Proving an export equal to its original: the stages of `bytecnn verify`.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bytecnn/arithmetic.hpp"
#include "bytecnn/model.hpp"

#include "original.hpp"
#include "torch/torch_backend.hpp"
#include "verify/bound.hpp"
#include "verify/cause.hpp"
#include "verify/condition.hpp"

namespace bytecnn::exporter {

using Bytes = std::vector<std::byte>;

struct NamedInput {
  std::string name;  ///< "empty", "byte 0x41", "length 511", "conv1 filter 7 highest", "random bytes 12", ...
  Bytes bytes;
  std::string kind = "corpus";  ///< "edge case", "adversary", "random", ...: what it is counted as
};

struct VerifyOptions {
  double fold_tolerance = 1e-6;    ///< times S = max(1, largest |logit| of the original)
  double engine_tolerance = 1e-5;  ///< times S on logits; absolute on scores
  /// Of the engines. Fixed point measures its own error, of which ten times is allowed where that is more than the
  /// tolerance.
  bytecnn::Arithmetic arithmetic = bytecnn::Arithmetic::float32;
  std::size_t samples = 300;  ///< random inputs beside the edge cases
  /// Limit on the work of all generated inputs together, in multiplications of the reference: a large model gets fewer
  /// of them, the telling ones first. 0: no limit.
  std::uint64_t work_limit = 3'000'000'000;
  std::uint64_t seed = 1;
  /// Runs every window of a first layer with a kernel of at most 3, so that its bound is exact: seconds.
  bool exhaustive = false;
  std::vector<NamedInput> corpus;  ///< the user's own inputs
  /// Numbers recorded from Python: input and logits; `reference_is_double` decides the tolerance (1e-5 S or 1e-4 S).
  std::vector<Golden> reference;
  bool reference_is_double = true;
  /// Called now and then with (inputs done, inputs in all).
  std::function<void(std::size_t, std::size_t)> progress;
};

/// A certificate holds inputs up to this size; those of models that take megabytes would make it as large.
inline constexpr std::size_t largest_recorded_input = std::size_t{1} << 14U;

/// One of the inputs on which a stage differs most.
struct WorstInput {
  std::size_t input = 0;   ///< index into VerifyReport::input_names (reference: into VerifyOptions::reference)
  double difference = 0;   ///< largest |difference| of a logit
  std::size_t output = 0;  ///< which logit
  double expected = 0, found = 0;
};

/// The comparison of one stage over all inputs.
struct StageReport {
  std::string name;              ///< "fold", "engine avx512", "reference", ...
  double tolerance = 0;          ///< on logits, already times S
  double worst = 0;              ///< largest |difference| of a logit
  double mean = 0;               ///< mean |difference|
  std::size_t inputs = 0;        ///< inputs compared
  std::size_t worst_input = 0;   ///< index into VerifyReport::input_names (reference: into VerifyOptions::reference)
  std::size_t worst_output = 0;  ///< which logit
  std::string worst_place;       ///< the same for people: "length 511, output 2"; weights: "conv2_weight[3][7]"
  double worst_expected = 0;     ///< that logit in the original
  double worst_found = 0;        ///< and on the other side
  std::vector<WorstInput> worst_inputs;  ///< the few worst, worst first; weights: none
  double score_tolerance = 0;            ///< 0: scores are reported, not judged
  double worst_score = 0;                ///< largest |difference| of a score
  std::size_t label_flips = 0;           ///< only where the original is further from its threshold than the tolerance
  std::vector<std::size_t> flipped;      ///< the first few of those inputs
  /// Inputs that one side refuses as too short and the other does not; none is allowed.
  std::size_t refused_by_one = 0;
  std::size_t first_refused = 0;       ///< the first of them
  std::vector<std::size_t> histogram;  ///< of log10(difference / S), one bin a decade from below 1e-16 to 1 and above
  bool passed = false;
  /// On failure: the first layer that differs, with channel and position, or what else is known of the cause.
  std::string first_difference;
};

/// An input worth keeping: it can be run again without the original.
struct RecordedCase {
  std::vector<std::string> reasons;  ///< "engine avx2: difference 3e-07", "smallest margin", ...
  std::size_t input = 0;             ///< index into VerifyReport::input_names
  Bytes bytes;
  std::vector<double> logits;  ///< of the original in double; empty where it refuses the input as too short
};

struct VerifyReport {
  bool passed = false;
  bool structure_checked = false;  ///< the original was TorchScript or a reference was given
  double scale = 1;                ///< S
  double smallest_margin = 0;      ///< to the decision threshold, over all inputs
  std::size_t smallest_margin_input = 0;
  double float32_error = 0;  ///< the original's own float32 run against its double run, for comparison
  std::size_t float32_error_input = 0;
  std::size_t refused = 0;  ///< inputs that the original refuses as too short
  /// What the model states otherwise than the original, e.g. "pooling: avg_max in the original, max in the model".
  std::vector<std::string> differences;
  /// Where the export states another structure: inputs that were searched for one that shows it, beside `input_names`.
  std::size_t searched_for_difference = 0;
  std::vector<std::string> input_names;
  std::vector<std::pair<std::string, std::size_t>> input_kinds;  ///< how many inputs of each kind
  std::vector<StageReport> stages;
  /// The inputs on which the stages differ most, flipped labels, the smallest margin, ... each once, with the
  /// original's logits. Inputs beyond `largest_recorded_input` bytes are left out.
  std::vector<RecordedCase> cases;
  std::uint64_t seed = 0;
  std::string torch_version;  ///< what ran the original
  bytecnn::Arithmetic arithmetic = bytecnn::Arithmetic::float32;
  double arithmetic_error_bound = 0;         ///< on a logit: what fixed point can cost; 0 where it is float32
  std::optional<Bound> bound;                ///< for every input; none of engines in fixed point
  std::optional<Conditioning> conditioning;  ///< tells an ill-conditioned model from a wrong export
  std::vector<Cause> causes;                 ///< of the failures, the likeliest first; empty where nothing failed
};

/// Runs the stages weights, fold, engine (every instruction set of this machine) and, where given, reference.
/// `runner` is the original. Uses all cores. Throws `Error` where the two cannot be compared: another number of
/// outputs.
[[nodiscard]] VerifyReport verify(const Original& original, OriginalRunner& runner, const Model& model,
                                  const VerifyOptions& options);

/// The report for people, several lines; and as a JSON object.
[[nodiscard]] std::string to_text(const VerifyReport& report);
[[nodiscard]] std::string to_json(const VerifyReport& report);

/// Architecture keys that `model` states otherwise than `original`, one sentence each.
[[nodiscard]] std::vector<std::string> architecture_differences(const Architecture& original,
                                                                const Architecture& model);

/// Input/logit pairs of the original that travel in the model file: a few telling inputs.
[[nodiscard]] std::vector<Golden> golden_vectors(const Architecture& architecture, OriginalRunner& runner);

}  // namespace bytecnn::exporter
