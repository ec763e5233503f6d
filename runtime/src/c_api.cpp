#include <algorithm>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/explain.hpp"
#include "bytecnn/model_json.hpp"
#include "bytecnn/stream.hpp"
#include "bytecnn/version.hpp"

#include "bytecnn.h"

struct bytecnn_classifier {
  bytecnn::Classifier classifier;
};

struct bytecnn_stream {
  bytecnn::Stream stream;
  std::size_t outputs;
};

namespace {

using bytecnn::Classifier;
using bytecnn::ErrorCode;
using bytecnn::Result;
using bytecnn::Status;
using bytecnn::Strategy;

std::string& last_error() noexcept {
  thread_local std::string text;
  return text;
}

bytecnn_status failed(bytecnn_status status, const char* text) noexcept {
  try {
    last_error() = text;
  } catch (const std::exception&) {
    last_error().clear();
  }
  return status;
}

bytecnn_status status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::io:
      return BYTECNN_IO;
    case ErrorCode::syntax:
      return BYTECNN_SYNTAX;
    case ErrorCode::invalid:
    case ErrorCode::ambiguous:
      return BYTECNN_INVALID;
    case ErrorCode::unsupported:
      return BYTECNN_UNSUPPORTED;
    case ErrorCode::limit:
      return BYTECNN_LIMIT;
    case ErrorCode::usage:
      return BYTECNN_USAGE;
  }
  return BYTECNN_INTERNAL;
}

bytecnn_status status_of(Status status) noexcept {
  switch (status) {
    case Status::ok:
      return BYTECNN_OK;
    case Status::input_too_short:
      return BYTECNN_INPUT_TOO_SHORT;
    case Status::out_of_memory:
      return BYTECNN_OUT_OF_MEMORY;
  }
  return BYTECNN_INTERNAL;
}

/// Runs what may throw; no exception leaves the library.
template <class Action>
bytecnn_status guarded(Action action) noexcept {
  try {
    return action();
  } catch (const bytecnn::Error& error) {
    return failed(status_of(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return failed(BYTECNN_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(BYTECNN_INTERNAL, error.what());
  } catch (...) {
    return failed(BYTECNN_INTERNAL, "unknown failure");
  }
}

bytecnn_status no_pointer() noexcept {
  return failed(BYTECNN_USAGE, "a pointer that must not be NULL is NULL");
}

bool is_input(const void* data, std::size_t size) noexcept {
  return data != nullptr || size == 0;
}

std::span<const std::byte> bytes_of(const void* data, std::size_t size) noexcept {
  return {static_cast<const std::byte*>(data), size};
}

std::span<float> row_of(float* values, std::size_t count) noexcept {
  return values == nullptr ? std::span<float>() : std::span<float>(values, count);
}

bytecnn_result result_of(const Result& result) noexcept {
  return {status_of(result.status), result.label, result.score};
}

/// Hands out a result; its status is the call's.
bytecnn_status hand_out(const Result& found, bytecnn_result* result) noexcept {
  *result = result_of(found);
  if (found.status == Status::ok) return BYTECNN_OK;
  return failed(result->status, bytecnn_status_text(result->status));
}

/// Throws `Error` (usage) for a number that is no strategy.
Strategy strategy_of(bytecnn_strategy strategy) {
  switch (strategy) {
    case BYTECNN_TRUNCATE:
      return Strategy::truncate;
    case BYTECNN_AVERAGE:
      return Strategy::average;
    case BYTECNN_MAX:
      return Strategy::max;
    case BYTECNN_ATTENTION:
      return Strategy::attention;
  }
  throw bytecnn::Error(ErrorCode::usage, "unknown strategy for long inputs", {}, "a bytecnn_strategy",
                       std::to_string(static_cast<int>(strategy)));
}

bytecnn_classifier* made(bytecnn::Model model, const char* isa) {
  const bytecnn::Isa wanted = isa == nullptr ? bytecnn::active_isa() : bytecnn::parse_isa(isa);
  return new bytecnn_classifier{Classifier(std::move(model), wanted)};
}

}  // namespace

const char* bytecnn_version(void) {
  return BYTECNN_VERSION;
}
int bytecnn_version_number(void) {
  return BYTECNN_VERSION_MAJOR * 10000 + BYTECNN_VERSION_MINOR * 100 + BYTECNN_VERSION_PATCH;
}

const char* bytecnn_status_text(bytecnn_status status) {
  switch (status) {
    case BYTECNN_OK:
      return "ok";
    case BYTECNN_INPUT_TOO_SHORT:
      return bytecnn::to_string(Status::input_too_short).data();
    case BYTECNN_OUT_OF_MEMORY:
      return "out of memory";
    case BYTECNN_IO:
      return "a file cannot be read";
    case BYTECNN_SYNTAX:
      return "not well-formed JSON";
    case BYTECNN_INVALID:
      return "not a valid model";
    case BYTECNN_UNSUPPORTED:
      return "not supported by this library";
    case BYTECNN_LIMIT:
      return "larger than a limit";
    case BYTECNN_USAGE:
      return "a wrong argument";
    case BYTECNN_INTERNAL:
      return "internal failure";
  }
  return "unknown status";
}

const char* bytecnn_last_error(void) {
  return last_error().c_str();
}

bytecnn_status bytecnn_load_file(const char* path, const char* isa, bytecnn_classifier** classifier) {
  if (path == nullptr || classifier == nullptr) return no_pointer();
  return guarded([&] {
    *classifier = made(bytecnn::load_model(path), isa);
    return BYTECNN_OK;
  });
}

bytecnn_status bytecnn_load_memory(const void* json, size_t size, const char* isa, bytecnn_classifier** classifier) {
  if (json == nullptr || classifier == nullptr) return no_pointer();
  return guarded([&] {
    *classifier = made(bytecnn::parse_model({static_cast<const char*>(json), size}), isa);
    return BYTECNN_OK;
  });
}

void bytecnn_free(bytecnn_classifier* classifier) {
  delete classifier;
}

size_t bytecnn_outputs(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? 0 : classifier->classifier.outputs();
}
size_t bytecnn_label_count(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? 0 : classifier->classifier.labels().size();
}
size_t bytecnn_max_len(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? 0 : classifier->classifier.model().architecture.max_len;
}
float bytecnn_threshold(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? 0.0F : classifier->classifier.threshold();
}
const char* bytecnn_model_name(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? nullptr : classifier->classifier.model().info.name.c_str();
}
const char* bytecnn_isa(const bytecnn_classifier* classifier) {
  return classifier == nullptr ? nullptr : bytecnn::to_string(classifier->classifier.isa()).data();
}

const char* bytecnn_label(const bytecnn_classifier* classifier, int index) {
  if (classifier == nullptr) return nullptr;
  if (index == -1) return "uncertain";
  const std::span<const std::string> labels = classifier->classifier.labels();
  const auto position = static_cast<std::size_t>(index);  // a negative number becomes one that is too large
  return position < labels.size() ? labels[position].c_str() : nullptr;
}

bytecnn_status bytecnn_classify(const bytecnn_classifier* classifier, const void* data, size_t size,
                                bytecnn_result* result, float* logits, float* scores) {
  if (classifier == nullptr || result == nullptr || !is_input(data, size)) return no_pointer();
  const std::size_t outputs = classifier->classifier.outputs();
  return hand_out(
      classifier->classifier.classify(bytes_of(data, size), row_of(logits, outputs), row_of(scores, outputs)), result);
}

bytecnn_status bytecnn_classify_long(const bytecnn_classifier* classifier, const void* data, size_t size,
                                     bytecnn_strategy strategy, bytecnn_result* result, float* logits, float* scores) {
  if (classifier == nullptr || result == nullptr || !is_input(data, size)) return no_pointer();
  return guarded([&] {
    const std::size_t outputs = classifier->classifier.outputs();
    return hand_out(bytecnn::classify(classifier->classifier, bytes_of(data, size), strategy_of(strategy),
                                      row_of(logits, outputs), row_of(scores, outputs)),
                    result);
  });
}

bytecnn_status bytecnn_classify_batch(const bytecnn_classifier* classifier, const void* const* data,
                                      const size_t* sizes, size_t count, bytecnn_result* results, float* logits,
                                      float* scores, unsigned threads) {
  if (classifier == nullptr) return no_pointer();
  if (count == 0) return BYTECNN_OK;
  if (data == nullptr || sizes == nullptr || results == nullptr) return no_pointer();
  return guarded([&] {
    std::vector<std::span<const std::byte>> inputs;
    inputs.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_input(data[i], sizes[i])) return no_pointer();
      inputs.push_back(bytes_of(data[i], sizes[i]));
    }
    std::vector<Result> found(count);
    const std::size_t floats = count * classifier->classifier.outputs();
    classifier->classifier.classify_batch(inputs, found, row_of(logits, floats), row_of(scores, floats), threads);
    std::ranges::transform(found, results, result_of);
    return BYTECNN_OK;
  });
}

bytecnn_status bytecnn_explain(const bytecnn_classifier* classifier, const void* data, size_t size, size_t output,
                               double* contributions, double* logit, double* baseline) {
  if (classifier == nullptr || !is_input(data, size) || (contributions == nullptr && size > 0)) {
    return no_pointer();
  }
  return guarded([&] {
    const bytecnn::Explanation why = bytecnn::explain(classifier->classifier.model(), bytes_of(data, size), output);
    std::ranges::copy(why.contributions, contributions);
    if (logit != nullptr) *logit = why.logit;
    if (baseline != nullptr) *baseline = why.baseline;
    return BYTECNN_OK;
  });
}

bytecnn_status bytecnn_stream_new(const bytecnn_classifier* classifier, bytecnn_strategy strategy,
                                  bytecnn_stream** stream) {
  if (classifier == nullptr || stream == nullptr) return no_pointer();
  return guarded([&] {
    const Classifier& model = classifier->classifier;
    *stream = new bytecnn_stream{bytecnn::Stream(model, strategy_of(strategy)), model.outputs()};
    return BYTECNN_OK;
  });
}

bytecnn_status bytecnn_stream_push(bytecnn_stream* stream, const void* data, size_t size) {
  if (stream == nullptr || !is_input(data, size)) return no_pointer();
  stream->stream.push(bytes_of(data, size));
  return BYTECNN_OK;
}

bytecnn_status bytecnn_stream_classify(const bytecnn_stream* stream, bytecnn_result* result, float* logits,
                                       float* scores) {
  if (stream == nullptr || result == nullptr) return no_pointer();
  return hand_out(stream->stream.classify(row_of(logits, stream->outputs), row_of(scores, stream->outputs)), result);
}

bytecnn_status bytecnn_stream_reset(bytecnn_stream* stream) {
  if (stream == nullptr) return no_pointer();
  stream->stream.reset();
  return BYTECNN_OK;
}

void bytecnn_stream_free(bytecnn_stream* stream) {
  delete stream;
}
