#include "rounding_error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <new>
#include <random>
#include <span>
#include <vector>

#include "bytecnn/reference.hpp"

namespace bytecnn {
namespace {

constexpr std::size_t columns_behind_the_field = 40;
constexpr std::uint64_t longest_input = 4096;

struct AlignedDelete {
  void operator()(float* memory) const noexcept { ::operator delete[](memory, std::align_val_t{64}); }
};

}  // namespace

double measured_rounding_error(const Model& model, const Plan& plan, RunFunction run) {
  Plan unpadded = plan;
  unpadded.padded = false;
  unpadded.pool.pad_run.present = false;
  Model reference = model;
  reference.architecture.pad_token.reset();

  const std::uint64_t wanted = plan.receptive_field + columns_behind_the_field * plan.total_stride;
  const std::uint64_t length = std::min({wanted, std::uint64_t{plan.max_len}, longest_input});
  if (model.architecture.pooled_positions(length) < minimum_pooled_positions(model.architecture.pooling)) return 0;
  const std::unique_ptr<float[], AlignedDelete> working(
      static_cast<float*>(::operator new[](plan.working_floats * sizeof(float), std::align_val_t{64})));
  std::vector<float> logits(model.architecture.outputs);
  std::vector<float> scores(model.architecture.outputs);
  std::mt19937 engine(1);
  double worst = 0;
  // All bytes, letters, and a single byte: the last is what a pool of equal columns is hardest on.
  for (const auto& [low, high] : std::array<std::array<unsigned, 2>, 3>{{{0, 255}, {97, 122}, {32, 32}}}) {
    std::vector<std::byte> input(static_cast<std::size_t>(length));
    for (std::byte& byte : input) byte = static_cast<std::byte>(low + engine() % (high - low + 1));
    run(unpadded, reinterpret_cast<const unsigned char*>(input.data()), input.size(), working.get(), logits.data(),
        scores.data());
    const std::vector<double> exact = reference_logits(reference, input);
    double scale = 1;
    for (const double logit : exact) scale = std::max(scale, std::abs(logit));
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double error = std::abs(static_cast<double>(logits[i]) - exact[i]) / scale;
      worst = error > worst || std::isnan(error) ? error : worst;
    }
  }
  return worst;
}

}  // namespace bytecnn
