#pragma once
/// Certificates as they are read: what a model and a machine are held against. `bytecnn verify` writes them; the format
/// is described in exporter/README.md and exporter/certificate.schema.json.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "certificate/model_fingerprint.hpp"

namespace bytecnn {

struct Certificate {
  struct File {
    std::string name, sha256;
  };
  struct Stage {
    std::string name;  ///< "weights", "fold", "engine avx2", ...
    bool passed = false;
    double worst = 0, tolerance = 0;
  };
  /// An input with the original's logits; none where the original refuses it as too short.
  struct Case {
    std::string name;
    std::vector<std::byte> input;
    std::vector<double> logits;
  };

  bool passed = false;
  std::string verified;  ///< ISO 8601, UTC
  std::string bytecnn_version, original_run_by, compiler, processor;
  std::vector<std::string> instruction_sets;  ///< on which the engine was verified
  File checkpoint, model;
  ModelFingerprint fingerprint;
  std::size_t inputs = 0;  ///< compared in all
  double scale = 1;        ///< S = max(1, largest |logit|)
  std::vector<Stage> stages;
  std::vector<Case> cases;

  /// What the engine was allowed, on logits; the largest of its stages.
  [[nodiscard]] double engine_tolerance() const noexcept;
};

/// The seal of a certificate: SHA-256 of its JSON without the member "seal", compact, in the file's order of keys.
/// It shows that a certificate was altered; it is no signature. Throws `Error` (syntax) unless `json` is an object.
[[nodiscard]] std::string certificate_seal(std::string_view json);

/// Throws `Error`: syntax, unsupported (a newer version of the format), invalid (something is missing or of the wrong
/// kind, the seal is broken, or the verdict contradicts the stages).
[[nodiscard]] Certificate parse_certificate(std::string_view json);

/// `parse_certificate` of a file's content; errors name the file.
[[nodiscard]] Certificate load_certificate(const std::string& path);

}  // namespace bytecnn
