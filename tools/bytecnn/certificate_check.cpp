#include "certificate_check.hpp"

#include <algorithm>
#include <utility>

#include "bytecnn/version.hpp"

#include "certificate/sha256.hpp"
#include "number_text.hpp"

namespace bytecnn::cli {
namespace {

using Verdict = Finding::Verdict;

constexpr double default_tolerance = 1e-5;  // of S; what `bytecnn verify` allows unless told otherwise

std::string joined(const std::vector<std::string>& parts, const std::string& between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

class Check {
 public:
  Check(const Certificate& certificate, const Model& model) : certificate_(certificate), model_(model) {}

  CertificateCheck run(const std::string& model_path, bool accept_version) {
    verdict();
    model(model_path);
    version(accept_version);
    instruction_sets();
    tolerance();
    machine();
    recorded_inputs();
    return std::move(check_);
  }

 private:
  void add(std::string subject, Verdict verdict, std::string message) {
    check_.findings.push_back({std::move(subject), verdict, std::move(message)});
  }

  void verdict() {
    if (certificate_.passed) {
      add("verdict", Verdict::holds,
          "verified " + certificate_.verified + " against " + certificate_.checkpoint.name + ", " +
              with_separators(certificate_.inputs) + " inputs");
      return;
    }
    std::vector<std::string> failed;
    for (const auto& stage : certificate_.stages) {
      if (!stage.passed) failed.push_back(stage.name);
    }
    add("verdict", Verdict::fails, "the verification of " + certificate_.verified + " failed: " + joined(failed, ", "));
  }

  void model(const std::string& path) {
    if (sha256_of_file(path) == certificate_.model.sha256) {
      add("model", Verdict::holds, "the file that was verified, byte for byte");
      return;
    }
    const auto differences = fingerprint_differences(certificate_.fingerprint, fingerprint(model_));
    if (differences.empty()) {
      add("model", Verdict::noted,
          "another file with the same architecture, weights, labels and threshold: only its description was changed");
    }
    for (const std::string& difference : differences) add("model", Verdict::fails, difference);
  }

  void version(bool accepted) {
    if (certificate_.bytecnn_version == BYTECNN_VERSION) {
      add("version", Verdict::holds, "bytecnn " BYTECNN_VERSION);
    } else if (accepted) {
      add("version", Verdict::noted,
          "verified by bytecnn " + certificate_.bytecnn_version + ", this is " BYTECNN_VERSION);
    } else {
      add("version", Verdict::fails,
          "verified by bytecnn " + certificate_.bytecnn_version +
              ", this is " BYTECNN_VERSION
              ": verify again, or accept the recorded inputs alone as proof with --accept-version");
    }
  }

  [[nodiscard]] bool covers(std::string_view set) const {
    const auto& sets = certificate_.instruction_sets;
    return std::find(sets.begin(), sets.end(), set) != sets.end();
  }

  /// What `bytecnn classify` uses here must have been verified; another one that it could be told to use is a note.
  void instruction_sets() {
    const Isa used = active_isa();
    std::vector<std::string> covered;
    for (const Isa isa : supported_isas()) {
      if (isa == Isa::reference) continue;
      const std::string name(to_string(isa));
      if (covers(name)) {
        covered.push_back(name);
      } else if (isa == used) {
        add("instruction_set", Verdict::fails,
            name + ", which this machine uses, was not verified (" + joined(certificate_.instruction_sets, ", ") +
                " were): verify on this kind of machine, or set BYTECNN_FORCE_ISA");
      } else {
        add("instruction_set", Verdict::noted,
            name + " was not verified; this machine uses " + std::string(to_string(used)));
      }
    }
    if (used == Isa::reference || covers(to_string(used))) {
      add("instruction_set", Verdict::holds,
          used == Isa::reference ? "this machine uses the double-precision reference"
                                 : joined(covered, ", ") + "; this machine uses " + std::string(to_string(used)));
    }
  }

  void tolerance() {
    check_.tolerance = certificate_.engine_tolerance();
    const double usual = default_tolerance * certificate_.scale;
    if (check_.tolerance > usual * (1 + 1e-9)) {
      add("tolerance", Verdict::noted,
          "verified with a tolerance of " + short_number(check_.tolerance) + " on logits, looser than the usual " +
              short_number(usual));
    }
  }

  void machine() {
    add("machine", Verdict::noted, "verified on " + certificate_.processor + ", " + certificate_.compiler);
  }

  void recorded_inputs() {
    for (const auto& recorded : certificate_.cases) check_.recorded.push_back({recorded.input, recorded.logits});
    const bool fits = std::all_of(check_.recorded.begin(), check_.recorded.end(), [&](const Golden& recorded) {
      return recorded.logits.empty() || recorded.logits.size() == model_.architecture.outputs;
    });
    if (!fits || check_.recorded.empty()) return;
    for (const Isa isa : supported_isas()) check_.runs.push_back(run_recorded(model_, isa, check_.recorded));
  }

  const Certificate& certificate_;
  const Model& model_;
  CertificateCheck check_;
};

}  // namespace

bool CertificateCheck::passed() const {
  return std::ranges::none_of(findings, [](const Finding& finding) { return finding.verdict == Verdict::fails; }) &&
         (recorded.empty() || !runs.empty()) &&
         std::ranges::all_of(runs, [&](const RecordedRun& run) { return run.passed(tolerance); });
}

CertificateCheck check_certificate(const Certificate& certificate, const Model& model, const std::string& model_path,
                                   bool accept_version) {
  return Check(certificate, model).run(model_path, accept_version);
}

}  // namespace bytecnn::cli
