/// bytecnn check: does this machine compute what the original computed? The golden vectors in the model file hold
/// inputs and the logits that PyTorch gave for them; every instruction set has to give them again.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/classifier.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "commands.hpp"
#include "number_text.hpp"
#include "standard_output.hpp"
#include "table.hpp"

namespace bytecnn::cli {
namespace {

constexpr double relative_tolerance = 1e-5;  // of S, see below; DESIGN: the stage "engine" of `bytecnn verify`

struct CheckOptions {
  std::string model;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

/// One instruction set over all golden vectors.
struct Comparison {
  Isa isa = Isa::reference;
  double worst = 0;
  double mean = 0;
  std::size_t worst_vector = 0;
  std::string failure;  ///< why an input was not classified at all
  [[nodiscard]] bool passed(double tolerance) const { return failure.empty() && worst <= tolerance; }
};

/// S: what errors are measured against.
double logit_scale(const std::vector<Golden>& golden) {
  double scale = 1;
  for (const Golden& vector : golden) {
    for (const double logit : vector.logits) scale = std::max(scale, std::abs(logit));
  }
  return scale;
}

Comparison compare(const Model& model, Isa isa) {
  const Classifier classifier(model, isa);
  std::vector<float> logits(classifier.outputs());
  Comparison comparison;
  comparison.isa = isa;
  double sum = 0;
  for (std::size_t i = 0; i < model.golden.size(); ++i) {
    const Golden& vector = model.golden[i];
    const Result result = classifier.classify(vector.input, logits);
    if (result.status != Status::ok) {
      comparison.failure = to_string(result.status);
      comparison.worst_vector = i;
      return comparison;
    }
    for (std::size_t o = 0; o < logits.size(); ++o) {
      double error = std::abs(static_cast<double>(logits[o]) - vector.logits[o]);
      if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
      sum += error;
      if (error > comparison.worst) {
        comparison.worst = error;
        comparison.worst_vector = i;
      }
    }
  }
  comparison.mean = sum / static_cast<double>(model.golden.size() * logits.size());
  return comparison;
}

std::string as_text(const Model& model, const std::vector<Comparison>& comparisons, double scale, double tolerance,
                    ColorChoice color) {
  const Painter painter(color);
  std::string text = painter.paint(Style::heading, printable(model.info.name, 80)) + ": " +
                     with_separators(model.golden.size()) +
                     " inputs with the original's logits (S = " + short_number(scale) + ")\n\n";
  Table table({{"engine"}, {"worst error", Align::right}, {"mean", Align::right}, {"allowed", Align::right}, {""}});
  for (const Comparison& comparison : comparisons) {
    const bool passed = comparison.passed(tolerance);
    std::string verdict = "ok";
    if (!passed) {
      verdict = "FAILED on input " + std::to_string(comparison.worst_vector + 1);
      if (!comparison.failure.empty()) verdict += ": " + comparison.failure;
    }
    table.add_row({std::string(to_string(comparison.isa)),
                   short_number(comparison.worst),
                   short_number(comparison.mean),
                   short_number(tolerance),
                   {verdict, passed ? Style::good : Style::bad}});
  }
  return text + table.render(painter);
}

std::string as_json(const std::string& path, const std::vector<Comparison>& comparisons, std::size_t vectors,
                    double scale, double tolerance, bool passed) {
  nlohmann::ordered_json json;
  json["model"] = path;
  json["golden"] = vectors;
  json["scale"] = scale;
  json["tolerance"] = tolerance;
  json["passed"] = passed;
  json["engines"] = nlohmann::ordered_json::array();
  for (const Comparison& comparison : comparisons) {
    nlohmann::ordered_json engine;
    engine["isa"] = to_string(comparison.isa);
    engine["passed"] = comparison.passed(tolerance);
    engine["worst"] = comparison.worst;
    engine["mean"] = comparison.mean;
    engine["worst_input"] = comparison.worst_vector;
    if (!comparison.failure.empty()) engine["error"] = comparison.failure;
    json["engines"].push_back(std::move(engine));
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

ExitStatus check(const CheckOptions& options) {
  const Model model = load_model(options.model);
  const double scale = logit_scale(model.golden);
  const double tolerance = relative_tolerance * scale;
  std::vector<Comparison> comparisons;
  if (!model.golden.empty()) {
    for (const Isa isa : supported_isas()) comparisons.push_back(compare(model, isa));
  }
  const bool passed =
      std::ranges::all_of(comparisons, [&](const Comparison& comparison) { return comparison.passed(tolerance); });

  StandardOutput output;
  if (options.json) {
    output << as_json(options.model, comparisons, model.golden.size(), scale, tolerance, passed);
  } else if (!model.golden.empty()) {
    output << as_text(model, comparisons, scale, tolerance, options.color);
  }
  output.flush();
  if (model.golden.empty()) {
    std::cerr
        << "bytecnn: " << options.model
        << " holds no golden vectors, so nothing was compared; 'bytecnn export' writes them, and 'bytecnn verify' "
           "compares with the checkpoint itself\n";
  }
  return passed ? ExitStatus::done : ExitStatus::failed;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "re-run the original's recorded inputs on every instruction set");
  command->footer(R"(
Examples:
  bytecnn check model.json
  bytecnn check model.json --json | jq .passed

Each logit must lie within 1e-5 S of the original's, S = max(1, largest |logit|). Exit status: 0 all hold, 1 one does not.)");
  command->add_option("MODEL", options->model, "the model file (JSON)")->required()->type_name("");
  command->add_flag("--json", options->json, "the comparison as a JSON object");
  add_color_option(*command, options->color);
  command->callback([options, &action] { action = [options] { return check(*options); }; });
}

}  // namespace bytecnn::cli
