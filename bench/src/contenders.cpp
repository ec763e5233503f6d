#include "contenders.hpp"

#include <string>

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

}  // namespace

std::vector<std::unique_ptr<Contender>> make_contenders(const Model& model) {
  std::vector<std::unique_ptr<Contender>> contenders;
  for (const Isa isa : supported_isas()) {
    if (isa != Isa::reference) contenders.push_back(std::make_unique<Engine>(model, isa));
  }
#if defined(BYTECNN_BENCH_LIBTORCH)
  for (auto& peer : libtorch_contenders(model)) contenders.push_back(std::move(peer));
#endif
  for (auto& direct : direct_contenders(model)) contenders.push_back(std::move(direct));
  return contenders;
}

}  // namespace bytecnn::bench
