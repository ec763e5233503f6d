#pragma once
/// The report of a verification with everything that identifies what was verified.

#include <string>

#include "original.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

struct VerifiedFiles {
  std::string checkpoint, checkpoint_sha256, checkpoint_form;
  std::string model, model_sha256;
};

/// A JSON object: `to_json(report)` under "report", beside both files with their hashes, versions, the instruction sets
/// of this machine, and what was assumed about the original with its sources.
[[nodiscard]] std::string certificate(const VerifiedFiles& files, const Original& original, const VerifyReport& report);

}  // namespace bytecnn::exporter
