// Batches: many inputs, on several threads, by the plan for bulk calls where the model has one.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "bytecnn/frequent_windows.hpp"

#include "classifier_impl.hpp"
#include "trigram_table.hpp"

namespace bytecnn {
namespace {

constexpr std::size_t most_chunk_inputs = 64;

/// Inputs whose heads run together: each vector of the head's weights is loaded once for six of them.
constexpr std::size_t most_heads = 12;

/// How many inputs a thread takes at least: waking one costs some ten microseconds, which 64 texts of a light model
/// take as well. A heavier one, by the weights that every position of its deeper layers is multiplied by, takes them
/// for 16.
std::size_t least_chunk_inputs(const Model& model) {
  constexpr std::size_t heavy_weights = 4096;
  std::size_t weights = 0;
  for (std::size_t i = 1; i < model.weights.conv.size(); ++i) weights += model.weights.conv[i].weight.size();
  return weights >= heavy_weights ? 16 : most_chunk_inputs;
}

/// Whether an input is text, whose windows are frequent ones. Of compressed or encrypted data and of programs nearly
/// every window would have to be computed, which takes up to twice as long as a single call. They hold control
/// characters: a tenth of random bytes are; 0 is not counted, for text in two bytes a character. The input alone
/// decides, never what was learned: results must not depend on that.
bool is_text(std::span<const std::byte> input) noexcept {
  constexpr std::size_t block = 64;  // a constant, so that bytes are counted in vectors
  const auto count = [](const std::byte* bytes, std::size_t length) {
    std::uint8_t controls = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const auto byte = static_cast<std::uint8_t>(bytes[i]);
      const bool below_space = static_cast<std::uint8_t>(byte - 1) < 0x1F;
      const bool white_space = static_cast<std::uint8_t>(byte - '\t') <= '\r' - '\t';
      controls = static_cast<std::uint8_t>(controls + (below_space && !white_space ? 1 : 0));
    }
    return std::size_t{controls};
  };
  std::size_t controls = 0;
  std::size_t i = 0;
  for (; i + block <= input.size(); i += block) controls += count(input.data() + i, block);
  controls += count(input.data() + i, input.size() - i);
  return 32 * controls <= input.size();
}

/// A batch of less text is not worth learning from: that takes as long as classifying it.
constexpr std::size_t least_sample_bytes = std::size_t{16} << 10U;
/// More text would change little.
constexpr std::size_t most_sample_bytes = std::size_t{256} << 10U;
/// What the model's own windows stand for: only a batch of much more text tells better what is frequent.
constexpr std::size_t stated_sample_bytes = least_sample_bytes;
/// Computing the entries of the model's own windows pays once batches have brought as much text.
constexpr std::size_t least_stated_bytes = std::size_t{4} << 10U;

std::size_t total_bytes(std::span<const std::span<const std::byte>> inputs) {
  std::size_t bytes = 0;
  for (const auto& input : inputs) bytes += input.size();
  return bytes;
}

/// Whether a batch tells much more about what is frequent than `known` bytes did.
bool worth_learning_from(std::span<const std::span<const std::byte>> inputs, std::size_t known) {
  if (known >= most_sample_bytes) return false;
  const std::size_t wanted = std::min(std::max(least_sample_bytes, 4 * known), most_sample_bytes);
  std::size_t bytes = 0;
  for (const auto& input : inputs) {
    bytes += input.size();
    if (bytes >= wanted) return true;
  }
  return false;
}

}  // namespace

std::shared_ptr<const LearnedTrigrams> Classifier::Impl::learn(
    std::span<const std::span<const std::byte>> sample) const {
  FrequentWindowCounter counter(model.architecture);
  std::size_t sampled = 0;
  for (const auto text : sample) {
    const std::size_t taken = std::min(text.size(), most_sample_bytes - sampled);
    counter.count(text.first(taken));
    sampled += taken;
    if (sampled == most_sample_bytes) break;
  }
  // Twice as many as there is room for: some fall on a slot that a more frequent one has.
  const Plan& bulk = *planned->bulk_plan();
  return std::make_shared<const LearnedTrigrams>(
      bulk, *kernels, counter.most_frequent(2 * bulk_table_entries(*bulk.trigrams)), sampled);
}

std::shared_ptr<const LearnedTrigrams> Classifier::Impl::trigrams_for(
    std::span<const std::span<const std::byte>> inputs) const {
  std::shared_ptr<const LearnedTrigrams> known = trigrams.load();
  const bool stated = known == nullptr && !model.frequent_windows.tokens.empty();
  const std::size_t known_bytes = known != nullptr ? known->sampled() : stated ? stated_sample_bytes : 0;
  std::shared_ptr<const LearnedTrigrams> fresh;
  if (worth_learning_from(inputs, known_bytes)) {
    fresh = learn(inputs);
  } else if (stated) {
    const std::size_t bytes = total_bytes(inputs);
    if (bytes_before_trigrams.fetch_add(bytes, std::memory_order_relaxed) + bytes < least_stated_bytes) return known;
    fresh = std::make_shared<const LearnedTrigrams>(*planned->bulk_plan(), *kernels, model.frequent_windows,
                                                    stated_sample_bytes);
  } else {
    return known;
  }
  // Where another thread was first, what it has learned becomes `known`.
  return trigrams.compare_exchange_strong(known, fresh) ? fresh : known;
}

void Classifier::Impl::tune_batch(std::span<const std::span<const std::byte>> sample) const {
  if (planned && planned->bulk_plan() != nullptr) trigrams.store(learn(sample));
}

void Classifier::Impl::run_pooled(const Plan* bulk, std::span<const std::span<const std::byte>> inputs,
                                  std::span<Result> results, float* logits, float* scores) const noexcept {
  // The plans differ in how features come about and in nothing behind them; the one for bulk calls needs more memory.
  const Plan& plan = bulk != nullptr ? *bulk : planned->plan();
  const std::size_t row = plan.features_floats;
  const std::size_t features = round_up(plan.dense[0].inputs, plan.lanes);
  const std::size_t floats = plan.working_floats + most_heads * 2 * (row + outputs);
  const Status memory = with_working_memory(floats * sizeof(float), [&](float* working) noexcept {
    float* const pooled = working + plan.working_floats;
    float* const own = pooled + most_heads * 2 * row;
    std::size_t begin = 0;  // the inputs from here on wait for their heads, the last `waiting` of them to be pooled too
    std::size_t waiting = 0;
    std::array<kernels::Text, most_heads> texts;
    const auto pool_waiting = [&](std::size_t end) noexcept {
      if (waiting > 0)
        kernels->pool_texts(plan, texts.data(), waiting, working, pooled + (end - waiting - begin) * row);
      waiting = 0;
    };
    const auto finish = [&](std::size_t end) noexcept {
      pool_waiting(end);
      float* const logits_out = logits != nullptr ? logits + begin * outputs : own;
      float* const scores_out = scores != nullptr ? scores + begin * outputs : own + most_heads * outputs;
      if (begin < end) kernels->heads(plan, pooled, end - begin, logits_out, scores_out);
      for (std::size_t i = begin; i < end; ++i) decide(scores_out + (i - begin) * outputs, results[i]);
    };
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto input = inputs[i].first(std::min<std::size_t>(inputs[i].size(), model.architecture.max_len));
      results[i] = Result{};
      if (input.size() < minimum) {
        finish(i);
        begin = i + 1;
        results[i].status = Status::input_too_short;
        continue;
      }
      const kernels::Text text{reinterpret_cast<const unsigned char*>(input.data()), input.size()};
      const bool by_windows = bulk != nullptr && is_text(input);
      if (by_windows && bulk->trigrams->pooled) {
        texts[waiting++] = text;
      } else {
        pool_waiting(i);
        kernels->pool(by_windows ? *bulk : planned->plan(), text.bytes, text.length, working);
        std::copy_n(working + plan.features_offset, features, pooled + (i - begin) * row);
      }
      if (i + 1 - begin == most_heads) {
        finish(i + 1);
        begin = i + 1;
      }
    }
    finish(inputs.size());
    return Status::ok;
  });
  if (memory == Status::ok) return;
  for (Result& result : results) result = {.status = memory};
}

void Classifier::Impl::run_batch(std::span<const std::span<const std::byte>> inputs, std::span<Result> results,
                                 std::span<float> logits, std::span<float> scores, unsigned threads) const {
  // Held until the batch is done, whoever else learns meanwhile.
  std::shared_ptr<const LearnedTrigrams> learned;
  std::optional<Plan> bulk;
  if (planned && planned->bulk_plan() != nullptr) {
    bulk = *planned->bulk_plan();
    learned = trigrams_for(inputs);
    bulk->trigram_table = learned ? &learned->table() : &no_trigrams;
  }

  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t chunk_inputs =
      std::clamp(inputs.size() / (4 * std::size_t{threads}), least_chunk_inputs(model), most_chunk_inputs);
  threads = static_cast<unsigned>(std::min<std::size_t>(threads, (inputs.size() + chunk_inputs - 1) / chunk_inputs));

  std::atomic<std::size_t> next{0};
  auto work = [&]() noexcept {
    for (std::size_t begin = next.fetch_add(chunk_inputs); begin < inputs.size();
         begin = next.fetch_add(chunk_inputs)) {
      const std::size_t count = std::min(chunk_inputs, inputs.size() - begin);
      float* const own_logits = logits.empty() ? nullptr : logits.data() + begin * outputs;
      float* const own_scores = scores.empty() ? nullptr : scores.data() + begin * outputs;
      if (pools_parts()) {
        run_pooled(bulk ? &*bulk : nullptr, inputs.subspan(begin, count), results.subspan(begin, count), own_logits,
                   own_scores);
        continue;
      }
      for (std::size_t i = 0; i < count; ++i) {
        Result& result = results[begin + i];
        result = Result{};
        result.status = run(inputs[begin + i], own_logits == nullptr ? nullptr : own_logits + i * outputs,
                            own_scores == nullptr ? nullptr : own_scores + i * outputs, result);
      }
    }
  };
  BatchThreads* const kept = threads > 1 ? batch_threads.get() : nullptr;
  if (kept == nullptr) return work();
  const auto run_work = [](void* context) noexcept { (*static_cast<decltype(work)*>(context))(); };
  kept->run(threads - 1, {run_work, &work});
}

void Classifier::classify_batch(std::span<const std::span<const std::byte>> inputs, std::span<Result> results,
                                std::span<float> logits, std::span<float> scores, unsigned threads) const {
  impl_->run_batch(inputs, results, logits, scores, threads);
}

bool Classifier::has_bulk_plan() const noexcept {
  return impl_->planned && impl_->planned->bulk_plan() != nullptr;
}

void Classifier::tune_batch(std::span<const std::span<const std::byte>> sample) const {
  impl_->tune_batch(sample);
}

}  // namespace bytecnn
