#pragma once
/// The certificate: the report of a verification with everything that identifies what was verified, so that
/// `bytecnn check` can hold a model and a machine against it.

#include <string>

#include "original.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

struct VerifiedFiles {
  std::string checkpoint, checkpoint_sha256, checkpoint_form;
  std::string model, model_sha256;
};

/// A JSON document, described by exporter/certificate.schema.json: both files with their hashes, a fingerprint of the
/// model, versions, the instruction sets that were compared, what was assumed about the original with its sources,
/// `to_json(report)` under "report", the recorded cases, and the seal of it all. Dated as `stated_time` says.
[[nodiscard]] std::string certificate(const VerifiedFiles& files, const Original& original, const Model& model,
                                      const VerifyReport& report);

}  // namespace bytecnn::exporter
