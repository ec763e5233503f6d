#pragma once
/// The engine: a model, planned for one instruction set, ready to classify.
///
///     const auto classifier = bytecnn::Classifier::load("model.json");
///     const auto result = classifier.classify("some text");
///     std::cout << classifier.label_name(result) << ' ' << result.score << '\n';

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/api.h"
#include "bytecnn/arithmetic.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model.hpp"

namespace bytecnn BYTECNN_API {

enum class Status : std::uint8_t {
  ok,
  input_too_short,  ///< the model does not pad, and some layer is left without a window
  out_of_memory,    ///< a thread's first use of a model with very wide layers could not get its working memory
};

/// "ok", "input too short for this model", ...
[[nodiscard]] std::string_view to_string(Status status) noexcept;

/// What a classification says. A plain value: copying it allocates nothing.
struct Result {
  Status status = Status::ok;
  /// Index into `Classifier::labels()`, or -1: uncertain (softmax below the model's threshold), or status is not ok.
  std::int32_t label = -1;
  /// One sigmoid output: its probability. Otherwise the score of the best output.
  float score = 0.0F;
};

/// How a classifier computes. The defaults are what `Classifier(model)` does.
struct ClassifierOptions {
  std::optional<Isa> isa;  ///< `active_isa()` without one
  Arithmetic arithmetic = Arithmetic::float32;
};

/// How one conv layer is computed: what an analysis of its rounding must know.
struct ConvMethod {
  enum class Kind : std::uint8_t {
    table,     ///< embedding and convolution folded into tables, rounded once
    direct,    ///< sums of products
    winograd,  ///< Winograd's F(outputs, kernel_size)
  };
  Kind kind = Kind::direct;
  std::uint32_t outputs = 0;  ///< columns a tile; 0 unless `winograd`
  /// Products that are added one after the other, in the order of the channels, before their sum joins the total; 0
  /// unless `winograd`.
  std::uint32_t chain = 0;
  std::uint32_t block_columns = 0;  ///< columns that may be pooled in one sum; 0 unless `winograd`
  friend bool operator==(const ConvMethod&, const ConvMethod&) = default;
};

/// A handle on a loaded model. It never changes: any number of threads may call its const functions at once. A copy
/// shares the model, which lives as long as the last handle, `Stream` or call that uses it; a classifier that was moved
/// from may only be assigned to or destroyed.
class Classifier {
 public:
  /// Loads a model file and plans it for `active_isa()`. Throws `Error` as `load_model`, `active_isa` and the
  /// constructors do. As these: allocates, takes some milliseconds, and may run in many threads at once.
  [[nodiscard]] static Classifier load(const std::string& path);
  [[nodiscard]] static Classifier load(const std::string& path, const ClassifierOptions& options);

  /// Plans `model` for `isa` (`active_isa()` without one). Throws `Error` where the model is invalid or this machine
  /// does not run `isa`.
  explicit Classifier(Model model);
  Classifier(Model model, Isa isa);
  /// `Arithmetic::int32` and `int16` are for models of one conv layer with relu; for others, and for `Isa::reference`,
  /// they throw `Error` (`unsupported`). They hold for `classify` and `classify_batch`, and for a `Stream` and windows,
  /// which then start anew with each classification; `explain` computes in double.
  Classifier(Model model, const ClassifierOptions& options);

  /// Classifies one input; longer inputs are cut to max_len. Safe from many threads at once, takes no lock, does not
  /// throw, and allocates nothing (exceptions: `Isa::reference`, and `working_memory_on_stack()` being false).
  [[nodiscard]] Result classify(std::span<const std::byte> input) const noexcept;
  [[nodiscard]] Result classify(std::string_view text) const noexcept;

  /// The same, and hands out the logits and the scores. Each span is empty or holds `outputs()` floats.
  Result classify(std::span<const std::byte> input, std::span<float> logits,
                  std::span<float> scores = {}) const noexcept;
  Result classify(std::string_view text, std::span<float> logits, std::span<float> scores = {}) const noexcept;

  /// Classifies inputs[i] into results[i] (same length), and into rows i of logits and scores (each empty, or
  /// inputs.size() * outputs() floats), on `threads` threads (0: as many as the machine has).
  ///
  /// The results are the same bits whatever the number of threads, however inputs are cut into batches, and whatever
  /// was learned. Models whose second convolution can be looked up (`has_bulk_plan()`: the first one has at most three
  /// taps, the second three or five, neither a stride) learn frequent windows from the first batch of 16 kB or more,
  /// and again from a later one of four times as much, up to 256 kB. On text like it they are then about twice as fast
  /// as by single calls; their logits differ from those of `classify` by rounding (both are within 1e-5 S of the double
  /// reference). Other models, and inputs with more control characters than text has, give the very bits of `classify`.
  ///
  /// Safe from many threads at once. The threads are started when they are first wanted and kept, asleep, until the
  /// last copy of the classifier is gone; where one cannot be started, there are fewer. A process made by fork(2) while
  /// no batch is under way starts its own. Allocates for its threads and for what it learns, else nothing; throws only
  /// where it cannot allocate for what it learns.
  void classify_batch(std::span<const std::span<const std::byte>> inputs, std::span<Result> results,
                      std::span<float> logits = {}, std::span<float> scores = {}, unsigned threads = 0) const;

  /// Learns frequent windows from `sample` (up to 256 kB of it) instead of from the first batches: results do not
  /// change, only how fast batches of similar text are. Some milliseconds and 3 MB; nothing is done for a model that
  /// does not learn. Safe from many threads at once. Throws where memory is exhausted.
  void tune_batch(std::span<const std::span<const std::byte>> sample) const;

  /// Whether batches are looked up as `classify_batch` says.
  [[nodiscard]] bool has_bulk_plan() const noexcept;

  // What the classifier is. These allocate nothing and throw nothing, unless they say so.

  /// Number of logits.
  [[nodiscard]] std::size_t outputs() const noexcept;
  /// One name for each label index: two for a single sigmoid output, else `outputs()`. Never empty; without names in
  /// the model they are "0", "1", ...
  [[nodiscard]] std::span<const std::string> labels() const noexcept;
  /// The result's label, or "uncertain".
  [[nodiscard]] std::string_view label_name(const Result& result) const noexcept;
  /// Label and score for given scores, `outputs()` of them, as every classification decides: for scores that were
  /// averaged, calibrated or received from elsewhere.
  [[nodiscard]] Result decide(std::span<const float> scores) const noexcept;
  /// Whether results may have no label: the model has exclusive outputs and states a threshold.
  [[nodiscard]] bool may_be_uncertain() const noexcept;
  /// The decision threshold: the model's own, else 0.5 for sigmoid and 0 for softmax.
  [[nodiscard]] float threshold() const noexcept;

  [[nodiscard]] const Model& model() const noexcept;
  [[nodiscard]] Isa isa() const noexcept;
  [[nodiscard]] Arithmetic arithmetic() const noexcept;
  /// Of `Arithmetic::int32` and `int16`: the largest difference of a logit from the reference's, divided by max(1,
  /// largest |logit|), over a sample of texts, random and constant bytes; measured when the classifier was made.
  [[nodiscard]] std::optional<double> arithmetic_error() const noexcept;
  /// Of `Arithmetic::int32` and `int16`: the most by which rounding the first layer to whole numbers moves a logit, for
  /// any input of any kind; proved from the weights. What float rounds elsewhere comes on top, as ever within 1e-5 of
  /// max(1, largest |logit|).
  [[nodiscard]] std::optional<double> arithmetic_error_bound() const noexcept;
  /// False for models so wide that their working memory is kept in a buffer for each thread, made on first use.
  [[nodiscard]] bool working_memory_on_stack() const noexcept;
  /// What was planned and why, one line a layer: for `bytecnn info`. Allocates.
  [[nodiscard]] std::string plan_description() const;
  /// The same for programs: one for each conv layer; all direct for `Isa::reference`. Allocates.
  [[nodiscard]] std::vector<ConvMethod> conv_methods() const;

  struct BYTECNN_PRIVATE Impl;

 private:
  std::shared_ptr<const Impl> impl_;
  friend class Stream;
};

}  // namespace BYTECNN_API
