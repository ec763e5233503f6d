#pragma once
/// The prefix that wrappers put before every parameter's name: DataParallel "module.", torch.compile "_orig_mod.",
/// Lightning "model.", in any mix.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bytecnn::exporter {

struct NameAndRank {
  std::string_view name;
  std::size_t rank = 0;
};

struct NamePrefix {
  std::string prefix;        ///< "" or ends in "."
  std::vector<bool> inside;  ///< for each name: whether it has the prefix
};

/// A prefix that all names share is always removed. A wrapper's prefix is also removed where the only names without it
/// are a wrapper's own: losses and metrics with their buffers. Where the others might be layers, nothing is removed, so
/// that no tensor of a model can get lost here.
[[nodiscard]] NamePrefix find_prefix(std::span<const NameAndRank> names);

/// Prefixes ("student", "teacher") under which the same names stand again, embedding included: several models in one
/// dict. Empty where there is only one.
[[nodiscard]] std::vector<std::string> rival_models(std::span<const NameAndRank> names);

/// Throws `Error` (ambiguous) that lists the rivals and names --key.
void refuse_rival_models(std::span<const NameAndRank> names);

}  // namespace bytecnn::exporter
