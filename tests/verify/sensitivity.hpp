#pragma once
/// How sharp the verifier is: random models, each exported rightly and wrongly in many ways.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter::testing {

/// One random original, verified again and again: libtorch runs every input once.
class SensitivityTrial {
 public:
  explicit SensitivityTrial(std::uint32_t seed);
  /// Whether the random architecture leaves anything to pool.
  [[nodiscard]] bool usable() const { return runner_ != nullptr; }
  [[nodiscard]] const Original& original() const { return original_; }
  /// Every stage over a few dozen inputs: the edges, adversaries and chance.
  [[nodiscard]] VerifyReport verify_export(const Model& model);

 private:
  Original original_;
  std::unique_ptr<OriginalRunner> runner_;
};

/// `count` seeds of usable trials, from `first` on.
[[nodiscard]] std::vector<std::uint32_t> usable_seeds(std::uint32_t first, std::size_t count);

[[nodiscard]] bool stage_failed(const VerifyReport& report, std::string_view name_begins_with);

}  // namespace bytecnn::exporter::testing
