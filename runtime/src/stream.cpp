#include "bytecnn/stream.hpp"

#include <array>
#include <string>
#include <utility>
#include <variant>

#include "bytecnn/error.hpp"

#include "classifier_impl.hpp"
#include "text_stream.hpp"
#include "window_stream.hpp"

namespace bytecnn {
namespace {

constexpr std::array strategies = {Strategy::truncate, Strategy::average, Strategy::max, Strategy::attention};

std::span<const std::byte> as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::string_view to_string(Strategy strategy) noexcept {
  switch (strategy) {
    case Strategy::truncate:
      return "truncate";
    case Strategy::average:
      return "average";
    case Strategy::max:
      return "max";
    case Strategy::attention:
      return "attention";
  }
  return "?";
}

Strategy parse_strategy(std::string_view name) {
  std::string known;
  for (const Strategy strategy : strategies) {
    if (to_string(strategy) == name) return strategy;
    known += (known.empty() ? "" : ", ") + std::string(to_string(strategy));
  }
  throw Error(ErrorCode::usage, "unknown strategy for long inputs", {}, "one of " + known,
              "\"" + std::string(name) + "\"");
}

struct Stream::Impl {
  std::shared_ptr<const Classifier::Impl> classifier;
  std::variant<TextStream, WindowStream> input;
  std::uint64_t size = 0;
};

Stream::Stream(const Classifier& classifier, Strategy strategy) {
  const Classifier::Impl& model = *classifier.impl_;
  if (strategy == Strategy::truncate) {
    impl_.reset(new Impl{classifier.impl_, TextStream(model)});
  } else {
    impl_.reset(new Impl{classifier.impl_, WindowStream(model, strategy)});
  }
}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

void Stream::push(std::span<const std::byte> bytes) noexcept {
  std::visit([bytes](auto& input) { input.push(bytes); }, impl_->input);
  impl_->size += bytes.size();
}
void Stream::push(std::string_view text) noexcept {
  push(as_bytes(text));
}

Result Stream::classify(std::span<float> logits, std::span<float> scores) const noexcept {
  Result result;
  result.status = std::visit(
      [&](const auto& input) {
        return input.classify(logits.empty() ? nullptr : logits.data(), scores.empty() ? nullptr : scores.data(),
                              result);
      },
      impl_->input);
  return result;
}

void Stream::reset() noexcept {
  std::visit([](auto& input) { input.reset(); }, impl_->input);
  impl_->size = 0;
}

std::uint64_t Stream::size() const noexcept {
  return impl_->size;
}
std::size_t Stream::memory_bytes() const noexcept {
  return sizeof(Impl) + std::visit([](const auto& input) { return input.memory_bytes(); }, impl_->input);
}

Result classify(const Classifier& classifier, std::span<const std::byte> input, Strategy strategy,
                std::span<float> logits, std::span<float> scores) {
  if (strategy == Strategy::truncate || input.size() <= classifier.model().architecture.max_len) {
    return classifier.classify(input, logits, scores);
  }
  Stream stream(classifier, strategy);
  stream.push(input);
  return stream.classify(logits, scores);
}
Result classify(const Classifier& classifier, std::string_view text, Strategy strategy, std::span<float> logits,
                std::span<float> scores) {
  return classify(classifier, as_bytes(text), strategy, logits, scores);
}

}  // namespace bytecnn
