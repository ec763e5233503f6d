#include "sensitivity.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "bytecnn/error.hpp"

#include "random_original.hpp"
#include "torch_for_tests.hpp"

namespace bytecnn::exporter::testing {
namespace {

/// Remembers what the original gave: all exports of it are tried on nearly the same inputs.
class RememberingRunner : public OriginalRunner {
 public:
  explicit RememberingRunner(std::unique_ptr<OriginalRunner> runner) : runner_(std::move(runner)) {}

  std::vector<double> logits(std::span<const std::byte> input) override { return remember(doubles_, input, true); }
  std::vector<double> logits_float32(std::span<const std::byte> input) override {
    return remember(singles_, input, false);
  }
  std::vector<std::vector<double>> layer_outputs(std::span<const std::byte> input) override {
    return runner_->layer_outputs(input);
  }
  [[nodiscard]] std::string engine() const override { return runner_->engine(); }

 private:
  using Memory = std::map<Bytes, std::optional<std::vector<double>>>;

  std::vector<double> remember(Memory& memory, std::span<const std::byte> input, bool in_double) {
    const auto [entry, is_new] = memory.try_emplace(Bytes(input.begin(), input.end()));
    if (is_new) {
      try {
        entry->second = in_double ? runner_->logits(input) : runner_->logits_float32(input);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::invalid) throw;
      }
    }
    if (!entry->second) throw Error(ErrorCode::invalid, "the input is too short");
    return *entry->second;
  }

  std::unique_ptr<OriginalRunner> runner_;
  Memory doubles_, singles_;
};

}  // namespace

SensitivityTrial::SensitivityTrial(std::uint32_t seed) : original_(random_original(seed)) {
  try {
    validate(original_.architecture);
  } catch (const Error&) {
    return;
  }
  runner_ = std::make_unique<RememberingRunner>(torch_for_tests().rebuild(original_));
}

VerifyReport SensitivityTrial::verify_export(const Model& model) {
  VerifyOptions options;
  options.samples = 8;
  options.work_limit = 600'000;
  return verify(original_, *runner_, model, options);
}

std::vector<std::uint32_t> usable_seeds(std::uint32_t first, std::size_t count) {
  std::vector<std::uint32_t> seeds;
  for (std::uint32_t seed = first; seeds.size() < count; ++seed) {
    if (SensitivityTrial(seed).usable()) seeds.push_back(seed);
  }
  return seeds;
}

bool stage_failed(const VerifyReport& report, std::string_view name_begins_with) {
  return std::any_of(report.stages.begin(), report.stages.end(), [&](const StageReport& stage) {
    return stage.name.starts_with(name_begins_with) && !stage.passed;
  });
}

}  // namespace bytecnn::exporter::testing
