#include "bytecnn/classifier.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "bytecnn/error.hpp"
#include "bytecnn/model_json.hpp"
#include "bytecnn/reference.hpp"

#include "classifier_impl.hpp"
#include "plan_choice.hpp"

namespace bytecnn {
namespace {

std::span<const std::byte> as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

/// The shortest input that leaves every layer a window and the pooling enough columns.
std::size_t minimum_length(const Architecture& architecture) {
  if (architecture.pad_token) return 0;
  const std::uint64_t wanted = minimum_pooled_positions(architecture.pooling);
  std::size_t low = 0;
  std::size_t high = architecture.max_len;  // is enough: `validate` has checked
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (architecture.pooled_positions(middle) >= wanted) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/// `result` with its status, as it is returned in registers. Written member by member and read back as one word it
/// would hold the caller up: such a load waits until all stores before it have left the processor's queue.
Result with_status(Status status, const Result& result) noexcept {
  Result whole = result;
  if constexpr (std::endian::native == std::endian::little) {
    static_assert(sizeof(Status) == 1 && offsetof(Result, label) == 4 && offsetof(Result, score) == 8);
    const std::uint64_t word =
        static_cast<std::uint64_t>(static_cast<std::uint32_t>(result.label)) << 32U | static_cast<std::uint8_t>(status);
    std::memcpy(static_cast<void*>(&whole), &word, sizeof(word));
  } else {
    whole.status = status;
  }
  return whole;
}

}  // namespace

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::input_too_short:
      return "input too short for this model, which does not pad";
    case Status::out_of_memory:
      return "out of memory";
  }
  return "?";
}

Classifier::Impl::Impl(Model loaded, Isa wanted, Arithmetic arithmetic) : model(std::move(loaded)), isa(wanted) {
  validate(model);
  const Architecture& architecture = model.architecture;
  outputs = architecture.outputs;
  minimum = minimum_length(architecture);
  binary = outputs == 1 && architecture.output != Output::softmax;
  labels = model.info.labels;
  if (labels.empty()) {
    for (std::size_t i = 0; i < (binary ? 2 : outputs); ++i) labels.push_back(std::to_string(i));
  }
  const double default_threshold = architecture.output == Output::sigmoid ? 0.5 : 0.0;
  threshold = static_cast<float>(model.info.threshold.value_or(default_threshold));
  // Without sigmoid a score may be negative, so only a stated threshold makes a result uncertain.
  may_be_uncertain = !binary && architecture.output != Output::sigmoid && model.info.threshold.has_value();

  if (isa == Isa::reference) {
    if (arithmetic == Arithmetic::float32) return;
    throw Error(ErrorCode::unsupported, "the reference computes in double precision alone", {}, {},
                std::string(to_string(arithmetic)));
  }
  kernels = kernels::find(isa);
  if (kernels == nullptr) {
    throw Error(ErrorCode::usage, "this machine or this build does not run that instruction set", {}, {},
                std::string(to_string(isa)));
  }
  ChosenPlan chosen = choose_plan(model, *kernels);
  planned.emplace(std::move(chosen.planned));
  plan_reasons = std::move(chosen.reasons);
  working_floats = planned->plan().working_floats;
  if (arithmetic != Arithmetic::float32) {
    fixed_point.emplace(model, planned->plan(), *kernels, arithmetic);
    working_floats = fixed_point->working_floats();
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "arithmetic: %s, off by %.1e of S as measured, %.1e on a logit at most%s\n",
                  std::string(to_string(arithmetic)).c_str(), fixed_point->measured_error(), fixed_point->error_bound(),
                  fixed_point->has_loop_of_its_own() ? "" : "; the general loop, as for all kernels but 3");
    plan_reasons += line.data();
  }
  const std::size_t result_floats = (2 * outputs + 15) / 16 * 16;
  working_bytes = (working_floats + result_floats) * sizeof(float);
  if (const Plan* bulk = planned->bulk_plan()) no_trigrams = empty_trigram_table(*bulk->trigrams);
}

Status Classifier::Impl::run(std::span<const std::byte> input, float* logits, float* scores,
                             Result& result) const noexcept {
  input = input.first(std::min<std::size_t>(input.size(), model.architecture.max_len));
  if (input.size() < minimum) return Status::input_too_short;
  if (isa == Isa::reference) return run_reference(input, logits, scores, result);
  return with_working_memory([&](float* working) noexcept {
    float* const logits_out = logits != nullptr ? logits : own_logits(working);
    float* const scores_out = scores != nullptr ? scores : own_scores(working);
    run_kernels(input, working, logits_out, scores_out);
    decide(scores_out, result);
    return Status::ok;
  });
}

void Classifier::Impl::run_kernels(std::span<const std::byte> input, float* working, float* logits,
                                   float* scores) const noexcept {
  if (fixed_point) return fixed_point->run(input, working, logits, scores);
  kernels->run(planned->plan(), reinterpret_cast<const unsigned char*>(input.data()), input.size(), working, logits,
               scores);
}

Status Classifier::Impl::run_reference(std::span<const std::byte> input, float* logits, float* scores,
                                       Result& result) const noexcept {
  try {
    const std::vector<double> exact = reference_logits(model, input);
    const std::vector<double> exact_scores = reference_scores(model.architecture.output, exact);
    const std::vector<float> rounded(exact_scores.begin(), exact_scores.end());
    if (logits != nullptr)
      std::transform(exact.begin(), exact.end(), logits, [](double x) { return static_cast<float>(x); });
    if (scores != nullptr) std::copy(rounded.begin(), rounded.end(), scores);
    decide(rounded.data(), result);
    return Status::ok;
  } catch (const std::exception&) {  // lengths were checked: only memory is left
    return Status::out_of_memory;
  }
}

void Classifier::Impl::decide(const float* scores, Result& result) const noexcept {
  if (binary) {
    result.score = scores[0];
    result.label = scores[0] >= threshold ? 1 : 0;
    return;
  }
  const float* best = std::max_element(scores, scores + outputs);
  result.score = *best;
  result.label = static_cast<std::int32_t>(best - scores);
  if (may_be_uncertain && *best < threshold) result.label = -1;
}

float* Classifier::Impl::thread_memory(std::size_t bytes) noexcept {
  struct Buffer {
    std::byte* memory = nullptr;
    std::size_t size = 0;
    ~Buffer() { ::operator delete[](memory, std::align_val_t{64}, std::nothrow); }
  };
  thread_local Buffer buffer;
  if (buffer.size < bytes) {
    ::operator delete[](buffer.memory, std::align_val_t{64}, std::nothrow);
    buffer.memory = static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{64}, std::nothrow));
    buffer.size = buffer.memory == nullptr ? 0 : bytes;
  }
  return reinterpret_cast<float*>(buffer.memory);
}

Classifier Classifier::load(const std::string& path) {
  return Classifier(load_model(path));
}

Classifier Classifier::load(const std::string& path, const ClassifierOptions& options) {
  return Classifier(load_model(path), options);
}

Classifier::Classifier(Model model) : Classifier(std::move(model), active_isa()) {}
Classifier::Classifier(Model model, Isa isa) : impl_(std::make_shared<const Impl>(std::move(model), isa)) {}

Classifier::Classifier(Model model, const ClassifierOptions& options)
    : impl_(std::make_shared<const Impl>(std::move(model), options.isa ? *options.isa : active_isa(),
                                         options.arithmetic)) {}

Result Classifier::classify(std::span<const std::byte> input) const noexcept {
  return classify(input, {}, {});
}
Result Classifier::classify(std::string_view text) const noexcept {
  return classify(as_bytes(text), {}, {});
}

Result Classifier::classify(std::span<const std::byte> input, std::span<float> logits,
                            std::span<float> scores) const noexcept {
  Result result;
  const Status status =
      impl_->run(input, logits.empty() ? nullptr : logits.data(), scores.empty() ? nullptr : scores.data(), result);
  return with_status(status, result);
}

Result Classifier::classify(std::string_view text, std::span<float> logits, std::span<float> scores) const noexcept {
  return classify(as_bytes(text), logits, scores);
}

std::size_t Classifier::outputs() const noexcept {
  return impl_->outputs;
}
std::span<const std::string> Classifier::labels() const noexcept {
  return impl_->labels;
}
std::string_view Classifier::label_name(const Result& result) const noexcept {
  return result.label < 0 ? std::string_view("uncertain") : impl_->labels[static_cast<std::size_t>(result.label)];
}
Result Classifier::decide(std::span<const float> scores) const noexcept {
  Result result;
  impl_->decide(scores.data(), result);
  return result;
}
bool Classifier::may_be_uncertain() const noexcept {
  return impl_->may_be_uncertain;
}
float Classifier::threshold() const noexcept {
  return impl_->threshold;
}
const Model& Classifier::model() const noexcept {
  return impl_->model;
}
Isa Classifier::isa() const noexcept {
  return impl_->isa;
}
Arithmetic Classifier::arithmetic() const noexcept {
  return impl_->fixed_point ? impl_->fixed_point->arithmetic() : Arithmetic::float32;
}
std::optional<double> Classifier::arithmetic_error() const noexcept {
  if (!impl_->fixed_point) return std::nullopt;
  return impl_->fixed_point->measured_error();
}
std::optional<double> Classifier::arithmetic_error_bound() const noexcept {
  if (!impl_->fixed_point) return std::nullopt;
  return impl_->fixed_point->error_bound();
}
bool Classifier::working_memory_on_stack() const noexcept {
  return impl_->working_bytes <= Impl::large_stack_bytes;
}
std::string Classifier::plan_description() const {
  if (!impl_->planned) return "double-precision reference, no plan\n";
  return impl_->planned->description() + impl_->plan_reasons;
}

std::vector<ConvMethod> Classifier::conv_methods() const {
  if (impl_->planned) return impl_->planned->conv_methods();
  return std::vector<ConvMethod>(impl_->model.architecture.conv_layers.size());
}

}  // namespace bytecnn
