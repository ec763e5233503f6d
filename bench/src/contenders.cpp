#include "contenders.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <thread>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"

#include "direct_contender.hpp"
#if defined(BYTECNN_BENCH_LIBTORCH)
#include "peers_libtorch.hpp"
#endif

namespace bytecnn::bench {
namespace {

class Engine final : public Contender {
 public:
  Engine(const Model& model, Isa isa) : Contender("bytecnn " + std::string(to_string(isa))), classifier_(model, isa) {}

  double classify_each(std::span<const Text> texts) override {
    double sum = 0;
    for (const Text text : texts) sum += static_cast<double>(classifier_.classify(text).score);
    return sum;
  }

  void logits(Text text, std::span<float> logits) override { classifier_.classify(text, logits); }

 private:
  Classifier classifier_;
};

/// The same by batches. Where the model looks windows up, it has learned from other text of the same kind.
class EngineInBatches final : public Contender {
 public:
  EngineInBatches(const Model& model, Isa isa, unsigned threads)
      : Contender("bytecnn " + std::string(to_string(isa)) + " batches" +
                  (threads > 1 ? ", " + std::to_string(threads) + " threads" : "")),
        model_(model),
        isa_(isa),
        threads_(threads),
        classifier_(model, isa) {}

  void expect_text_like(const std::string& kind, std::span<const Text> sample) override {
    if (!classifier_.has_bulk_plan()) return;
    auto known = learned_.find(kind);
    if (known == learned_.end()) {
      known = learned_.emplace(kind, Classifier(model_, isa_)).first;
      known->second.tune_batch(sample);
    }
    classifier_ = known->second;
    // Its table, of megabytes, comes back into the caches, as it would be there in a program that reads such text.
    classify_each(sample.first(std::min(sample.size(), warming_texts)));
  }

  double classify_each(std::span<const Text> texts) override {
    results_.resize(std::max(results_.size(), texts.size()));
    const std::span<Result> results = std::span(results_).first(texts.size());
    classifier_.classify_batch(texts, results, {}, {}, threads_);
    double sum = 0;
    for (const Result& result : results) sum += static_cast<double>(result.score);
    return sum;
  }

  void logits(Text text, std::span<float> logits) override {
    Result result;
    classifier_.classify_batch(std::span(&text, 1), std::span(&result, 1), logits, {}, 1);
  }

 private:
  static constexpr std::size_t warming_texts = 128;  ///< 64 kB

  Model model_;
  Isa isa_;
  unsigned threads_;
  Classifier classifier_;
  std::map<std::string, Classifier> learned_;  ///< by the kind of text
  std::vector<Result> results_;
};

}  // namespace

std::vector<std::unique_ptr<Contender>> make_contenders(const Model& model) {
  std::vector<std::unique_ptr<Contender>> contenders;
  for (const Isa isa : supported_isas()) {
    if (isa != Isa::reference) contenders.push_back(std::make_unique<Engine>(model, isa));
  }
  const Isa widest = supported_isas().front();
  contenders.push_back(std::make_unique<EngineInBatches>(model, widest, 1));
  if (const unsigned processors = std::thread::hardware_concurrency(); processors > 1) {
    contenders.push_back(std::make_unique<EngineInBatches>(model, widest, processors));
  }
#if defined(BYTECNN_BENCH_LIBTORCH)
  for (auto& peer : libtorch_contenders(model)) contenders.push_back(std::move(peer));
#endif
  for (auto& direct : direct_contenders(model)) contenders.push_back(std::move(direct));
  return contenders;
}

}  // namespace bytecnn::bench
