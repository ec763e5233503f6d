#include "rounding_error.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <new>
#include <random>

#include "bytecnn/reference.hpp"

namespace bytecnn {
namespace {

constexpr std::uint64_t varied_columns = 40;
/// A constant text has the same column everywhere: its error does not average out, and few positions show it.
constexpr std::uint64_t constant_columns = 4;
constexpr unsigned constant_bytes[] = {0, 32, 48, 101, 128, 255};
constexpr std::uint64_t longest_input = 4096;

struct AlignedDelete {
  void operator()(float* memory) const noexcept { ::operator delete[](memory, std::align_val_t{64}); }
};

}  // namespace

RoundingProbe::RoundingProbe(const Model& model, const Plan& plan) {
  Model unpadded = model;
  unpadded.architecture.pad_token.reset();
  std::mt19937 engine(1);
  const auto add = [&](std::uint64_t columns, unsigned low, unsigned high) {
    const std::uint64_t wanted = plan.receptive_field + columns * plan.total_stride;
    const std::uint64_t length = std::min({wanted, std::uint64_t{plan.max_len}, longest_input});
    const Architecture& architecture = unpadded.architecture;
    if (architecture.pooled_positions(length) < minimum_pooled_positions(architecture.pooling)) return;
    std::vector<std::byte> input(static_cast<std::size_t>(length));
    for (std::byte& byte : input) byte = static_cast<std::byte>(low + engine() % (high - low + 1));
    logits_.push_back(reference_logits(unpadded, input));
    inputs_.push_back(std::move(input));
  };
  add(varied_columns, 0, 255);
  add(varied_columns, 97, 122);
  for (const unsigned byte : constant_bytes) add(constant_columns, byte, byte);
}

double RoundingProbe::error(const Plan& plan, RunFunction run) const {
  Plan unpadded = plan;
  unpadded.padded = false;
  unpadded.pool.pad_run.present = false;
  const std::unique_ptr<float[], AlignedDelete> working(
      static_cast<float*>(::operator new[](plan.working_floats * sizeof(float), std::align_val_t{64})));
  double worst = 0;
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::vector<double>& exact = logits_[i];
    std::vector<float> logits(exact.size());
    std::vector<float> scores(exact.size());
    run(unpadded, reinterpret_cast<const unsigned char*>(inputs_[i].data()), inputs_[i].size(), working.get(),
        logits.data(), scores.data());
    double scale = 1;
    for (const double logit : exact) scale = std::max(scale, std::abs(logit));
    for (std::size_t o = 0; o < exact.size(); ++o) {
      const double error = std::abs(static_cast<double>(logits[o]) - exact[o]) / scale;
      worst = error > worst || std::isnan(error) ? error : worst;
    }
  }
  return worst;
}

}  // namespace bytecnn
