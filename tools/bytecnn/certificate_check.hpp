#pragma once
/// Holding a model file and this machine against a certificate.

#include <string>
#include <vector>

#include "certificate/certificate_file.hpp"
#include "recorded_runs.hpp"

namespace bytecnn::cli {

/// One thing that was held against the certificate.
struct Finding {
  enum class Verdict { holds, noted, fails };
  std::string subject;  ///< a stable key: "verdict", "model", "version", "instruction_set", "tolerance", "machine"
  Verdict verdict = Verdict::holds;
  std::string message;
};

struct CertificateCheck {
  std::vector<Finding> findings;
  std::vector<Golden> recorded;   ///< the certificate's own inputs with the original's logits
  double tolerance = 0;           ///< on their logits
  std::vector<RecordedRun> runs;  ///< one an instruction set of this machine; empty where the model does not fit
  [[nodiscard]] bool passed() const;
};

/// The verdict of the certificate, the model (its file's hash, then what it computes), version and instruction sets,
/// and the certificate's recorded inputs on every instruction set of this machine. `accept_version` lets another
/// version of bytecnn pass with a note. Throws `Error` where a file cannot be read.
[[nodiscard]] CertificateCheck check_certificate(const Certificate& certificate, const Model& model,
                                                 const std::string& model_path, bool accept_version);

}  // namespace bytecnn::cli
