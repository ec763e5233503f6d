/// bytecnn check: does this machine compute what the original computed? The golden vectors in the model file hold
/// inputs and the logits that PyTorch gave for them; every instruction set has to give them again. A certificate adds
/// the inputs on which a verification saw the largest errors, and says which model, version and instruction sets it
/// stands for.

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "arithmetic_option.hpp"
#include "certificate_check.hpp"
#include "commands.hpp"
#include "number_text.hpp"
#include "recorded_runs.hpp"
#include "standard_output.hpp"
#include "table.hpp"

namespace bytecnn::cli {
namespace {

constexpr double relative_tolerance = 1e-5;  // of S: that of the stage "engine" of `bytecnn verify`

struct CheckOptions {
  std::string model;
  std::string certificate;
  bool accept_version = false;
  Arithmetic arithmetic = Arithmetic::float32;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

/// The golden vectors of a model over all instruction sets.
struct GoldenCheck {
  double scale = 1;
  double tolerance = relative_tolerance;
  std::vector<RecordedRun> runs;
  [[nodiscard]] bool passed() const {
    return std::ranges::all_of(runs, [&](const RecordedRun& run) { return run.passed(tolerance); });
  }
};

/// Throws where the model cannot be computed so, whether or not there is anything to compare.
void require_arithmetic(const Model& model, Arithmetic arithmetic) {
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference) continue;
    static_cast<void>(Classifier(model, ClassifierOptions{isa, arithmetic}));
    return;
  }
}

GoldenCheck check_golden(const Model& model, Arithmetic arithmetic) {
  GoldenCheck check;
  check.scale = logit_scale(model.golden);
  check.tolerance = relative_tolerance * check.scale;
  if (model.golden.empty()) {
    if (arithmetic != Arithmetic::float32) require_arithmetic(model, arithmetic);
    return check;
  }
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference && arithmetic != Arithmetic::float32) continue;  // it has one arithmetic
    check.runs.push_back(run_recorded(model, isa, model.golden, arithmetic));
    const double allowed = relative_tolerance * check.scale + check.runs.back().arithmetic_error_bound;
    check.tolerance = std::max(check.tolerance, allowed);
  }
  return check;
}

std::string runs_as_text(const std::vector<RecordedRun>& runs, double tolerance, const Painter& painter) {
  Table table({{"engine"}, {"worst error", Align::right}, {"mean", Align::right}, {"allowed", Align::right}, {""}});
  for (const RecordedRun& run : runs) {
    const bool passed = run.passed(tolerance);
    std::string verdict = "ok";
    if (!passed) {
      verdict = "FAILED on input " + std::to_string(run.worst_input + 1);
      if (!run.failure.empty()) verdict += ": " + run.failure;
    }
    table.add_row({std::string(to_string(run.isa)),
                   short_number(run.worst),
                   short_number(run.mean),
                   short_number(tolerance),
                   {verdict, passed ? Style::good : Style::bad}});
  }
  return table.render(painter);
}

std::string as_text(const Model& model, const GoldenCheck& golden, const Painter& painter) {
  return painter.paint(Style::heading, printable(model.info.name, 80)) + ": " + with_separators(model.golden.size()) +
         " inputs with the original's logits (S = " + short_number(golden.scale) + ")\n\n" +
         runs_as_text(golden.runs, golden.tolerance, painter);
}

std::string_view to_string(Finding::Verdict verdict) {
  switch (verdict) {
    case Finding::Verdict::holds:
      return "ok";
    case Finding::Verdict::noted:
      return "note";
    case Finding::Verdict::fails:
      break;
  }
  return "FAILED";
}

std::string as_text(const std::string& path, const CertificateCheck& check, const Painter& painter) {
  std::string text = painter.paint(Style::heading, "Certificate") + " " + printable(path, 200) + "\n\n";
  Table findings({{""}, {""}, {""}});
  for (const Finding& finding : check.findings) {
    const Style style = finding.verdict == Finding::Verdict::fails   ? Style::bad
                        : finding.verdict == Finding::Verdict::noted ? Style::faint
                                                                     : Style::good;
    findings.add_row(
        {finding.subject, {std::string(to_string(finding.verdict)), style}, printable(finding.message, 400)});
  }
  text += findings.render(painter);
  if (!check.runs.empty()) {
    text += "\n" + painter.paint(Style::heading, "Its recorded inputs") + ": " +
            with_separators(check.recorded.size()) + ", on which the verification saw the largest errors\n\n" +
            runs_as_text(check.runs, check.tolerance, painter);
  }
  return text + "\n" +
         (check.passed() ? painter.paint(Style::good, "The certificate holds for this model on this machine.")
                         : painter.paint(Style::bad, "The certificate does not hold for this model on this machine.")) +
         "\n";
}

nlohmann::ordered_json runs_as_json(const std::vector<RecordedRun>& runs, double tolerance) {
  auto engines = nlohmann::ordered_json::array();
  for (const RecordedRun& run : runs) {
    nlohmann::ordered_json engine;
    engine["isa"] = bytecnn::to_string(run.isa);
    engine["passed"] = run.passed(tolerance);
    engine["worst"] = run.worst;
    engine["mean"] = run.mean;
    engine["worst_input"] = run.worst_input;
    if (!run.failure.empty()) engine["error"] = run.failure;
    engines.push_back(std::move(engine));
  }
  return engines;
}

nlohmann::ordered_json as_json(const std::string& path, const CertificateCheck& check) {
  nlohmann::ordered_json json;
  json["file"] = path;
  json["passed"] = check.passed();
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : check.findings) {
    json["findings"].push_back(
        {{"subject", finding.subject}, {"verdict", to_string(finding.verdict)}, {"message", finding.message}});
  }
  json["inputs"] = check.recorded.size();
  json["tolerance"] = check.tolerance;
  json["engines"] = runs_as_json(check.runs, check.tolerance);
  return json;
}

std::string as_json(const CheckOptions& options, const Model& model, const GoldenCheck& golden,
                    const std::optional<CertificateCheck>& certificate) {
  nlohmann::ordered_json json;
  json["model"] = options.model;
  json["golden"] = model.golden.size();
  json["arithmetic"] = bytecnn::to_string(options.arithmetic);
  json["scale"] = golden.scale;
  json["tolerance"] = golden.tolerance;
  json["passed"] = golden.passed() && (!certificate || certificate->passed());
  json["engines"] = runs_as_json(golden.runs, golden.tolerance);
  if (certificate) json["certificate"] = as_json(options.certificate, *certificate);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ExitStatus check(const CheckOptions& options) {
  const Model model = load_model(options.model);
  const GoldenCheck golden = check_golden(model, options.arithmetic);
  std::optional<CertificateCheck> certificate;
  if (!options.certificate.empty()) {
    certificate =
        check_certificate(load_certificate(options.certificate), model, options.model, options.accept_version);
  }

  StandardOutput output;
  if (options.json) {
    output << as_json(options, model, golden, certificate);
  } else {
    const Painter painter(options.color);
    if (!model.golden.empty()) output << as_text(model, golden, painter);
    if (certificate)
      output << (model.golden.empty() ? "" : "\n") << as_text(options.certificate, *certificate, painter);
  }
  output.flush();
  if (model.golden.empty() && !certificate) {
    std::cerr
        << "bytecnn: " << options.model
        << " holds no golden vectors, so nothing was compared; 'bytecnn export' writes them, and 'bytecnn verify' "
           "compares with the checkpoint itself\n";
  }
  return golden.passed() && (!certificate || certificate->passed()) ? ExitStatus::done : ExitStatus::failed;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "re-run the original's recorded inputs on every instruction set");
  command->footer(R"(
Examples:
  bytecnn check model.json
  bytecnn check model.json --json | jq .passed
  bytecnn check model.json --arithmetic int32                      # fixed point, as classify would run it
  bytecnn verify model.pth model.json --report certificate.json    # once, where the checkpoint is
  bytecnn check model.json --certificate certificate.json          # wherever the model is used

Each logit must lie within 1e-5 S of the original's, S = max(1, largest |logit|). Fixed point may be off by as much
again as rounding the first layer to whole numbers can move a logit, which the engine proves from the weights; the
column "allowed" is the sum.

A certificate holds where the model is the one that was verified, its verification passed, this version and the
instruction set that this machine uses were verified, and the inputs with the largest errors give the original's logits
again. Its seal shows that it was altered, not who wrote it: sign the file where that matters.

Exit status: 0 all hold, 1 something does not, 3 the model or the certificate cannot be read, 4 the model has no form
in that arithmetic.)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  auto* certificate =
      command->add_option("--certificate", options->certificate, "what 'bytecnn verify --report FILE.json' wrote")
          ->type_name("FILE");
  command->add_flag("--accept-version", options->accept_version, "let a certificate of another version of bytecnn pass")
      ->needs(certificate);
  add_arithmetic_option(*command, options->arithmetic)->excludes(certificate);
  command->add_flag("--json", options->json, "the comparison as a JSON object");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return check(*options); }; });
}

}  // namespace bytecnn::cli
