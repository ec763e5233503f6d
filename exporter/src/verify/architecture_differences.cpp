#include "certificate/architecture_facts.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

std::vector<std::string> architecture_differences(const Architecture& original, const Architecture& model) {
  std::vector<std::string> sentences;
  for (const FactDifference& difference : differing_facts(architecture_facts(original), architecture_facts(model))) {
    sentences.push_back(difference.key + ": " + difference.first + " in the original, " + difference.second +
                        " in the model");
  }
  return sentences;
}

}  // namespace bytecnn::exporter
