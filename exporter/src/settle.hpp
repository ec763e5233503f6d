#pragma once
/// Settles an architecture: for each property the shapes leave open, the first that speaks of statement, module,
/// numbering and default; whoever contradicts a certain source is refused.

#include <map>
#include <string>
#include <vector>

#include "bytecnn/architecture_statement.hpp"
#include "bytecnn/model.hpp"

#include "layer_chain.hpp"
#include "module_facts.hpp"
#include "recognise.hpp"

namespace bytecnn::exporter {

struct SettledArchitecture {
  Architecture architecture;
  /// Key -> "stated", "module", "sequential", "shapes" or "default". A key that all layers settle alike stands for all
  /// of them ("padding"), else it names the layer ("conv2.padding").
  std::map<std::string, std::string> sources;
};

/// Throws `Error` (invalid) where statement or flags contradict the checkpoint's shapes or its modules, (ambiguous)
/// where nothing settles a property that must be settled, (usage) where flag and statement contradict each other.
[[nodiscard]] SettledArchitecture settle_architecture(const LayerChain& chain, const ModuleFacts& facts,
                                                      const ArchitectureStatement& statement,
                                                      const RecognitionFlags& flags,
                                                      std::vector<std::string>& warnings);

/// What flags and statement say together about a key that both may state. Throws `Error` (usage) where they differ.
[[nodiscard]] std::optional<Pooling> stated_pooling(const ArchitectureStatement& statement,
                                                    const RecognitionFlags& flags);
[[nodiscard]] std::optional<std::uint32_t> stated_max_len(const ArchitectureStatement& statement,
                                                          const RecognitionFlags& flags);
[[nodiscard]] std::optional<std::optional<std::uint32_t>> stated_pad_token(const ArchitectureStatement& statement,
                                                                           const RecognitionFlags& flags);

/// Sets max_len and pad_token of `architecture` from what is stated, `padding_idx` (where a module has one) and the
/// defaults, and records the sources.
void settle_input(Architecture& architecture, std::map<std::string, std::string>& sources,
                  std::optional<std::uint32_t> padding_idx, const ArchitectureStatement& statement,
                  const RecognitionFlags& flags, std::vector<std::string>& warnings);

/// The error for a statement at JSON pointer `place` that says `stated` where the file says `known`.
[[noreturn]] void contradiction(const std::string& place, const std::string& known, const std::string& stated);

}  // namespace bytecnn::exporter
