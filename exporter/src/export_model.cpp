#include "export_model.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "bytecnn/error.hpp"
#include "bytecnn/model_json.hpp"

#include "certificate/sha256.hpp"
#include "file_bytes.hpp"
#include "findings.hpp"
#include "original_loader.hpp"
#include "progress_line.hpp"
#include "search/search_report.hpp"
#include "search_run.hpp"
#include "source_text.hpp"
#include "stated_time.hpp"
#include "verify/recorded_reference.hpp"
#include "verify/verify.hpp"
#include "write_cpp.hpp"
#include "write_python.hpp"

namespace bytecnn::exporter {
namespace {

/// File names that are not UTF-8 cannot stand in JSON as they are.
std::string printable_name(const std::string& name) {
  if (is_utf8(name)) return name;
  std::string text;
  for (const char c : name) text += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return text;
}

void check_labels(const ExportOptions& options, const Architecture& architecture) {
  if (options.labels.empty()) return;
  const bool two_sided = architecture.output == Output::sigmoid && architecture.outputs == 1;
  const std::size_t expected = two_sided ? 2 : architecture.outputs;
  if (options.labels.size() != expected) {
    throw Error(ErrorCode::usage, "the number of labels does not fit the model", "--labels",
                std::to_string(expected) + (two_sided ? " (below and above the threshold)" : ", one for each output"),
                std::to_string(options.labels.size()));
  }
}

void describe(const ExportOptions& options, ModelInfo& info, const LoadedOriginal& loaded) {
  const std::string file = std::filesystem::path(options.checkpoint).filename().string();
  info.name = options.name.empty() ? printable_name(stem_of(options.checkpoint)) : options.name;
  info.version = options.version;
  info.accuracy = options.accuracy;
  info.labels = options.labels;
  info.threshold = options.threshold;
  info.exported = stated_time();
  info.source = {{"file", printable_name(file)}, {"sha256", sha256_of_file(options.checkpoint)}, {"form", loaded.form}};
  if (!loaded.key.empty() && is_utf8(loaded.key)) info.source["key"] = loaded.key;
}

void print_findings(const LoadedOriginal& loaded) {
  std::cerr << loaded.path << ": " << loaded.form;
  if (loaded.container != loaded.form) std::cerr << " (" << loaded.container << ")";
  if (!loaded.key.empty()) std::cerr << ", under '" << loaded.key << "'";
  if (!loaded.prefix.empty()) std::cerr << ", prefix '" << loaded.prefix << "'";
  std::cerr << "\n" << to_text(findings(loaded.original));
  for (const std::string& warning : loaded.warnings) std::cerr << "note: " << warning << "\n";
  constexpr std::size_t shown = 12;
  for (std::size_t i = 0; i < std::min(shown, loaded.hints.size()); ++i) {
    std::cerr << "hint in the file, not used: " << loaded.hints[i].first << " = " << loaded.hints[i].second << "\n";
  }
  if (loaded.hints.size() > shown) {
    std::cerr << "hint in the file, not used: ... and " << loaded.hints.size() - shown << " more\n";
  }
}

/// Numbers recorded from Python, where the user gave some.
std::optional<RecordedReference> recorded(const ExportOptions& options) {
  if (options.reference_file.empty()) return std::nullopt;
  return load_reference(options.reference_file);
}

/// Settles what the file leaves open by the recorded numbers. False where nothing fits them. Throws `Error`
/// (ambiguous) where more than one structure does.
bool settled_by_search(const ExportOptions& options, std::optional<RecordedReference>& reference,
                       LoadedOriginal& loaded) {
  const SearchResult result = search_with_progress(loaded, *reference, options);
  if (result.fits.size() != 1 || !options.quiet) std::cerr << to_text(result);
  if (result.fits.empty()) {
    std::cerr << "bytecnn export: " << options.checkpoint << ": no structure that was tried gives the numbers in "
              << options.reference_file << "; nothing was written\n";
    return false;
  }
  if (result.fits.size() > 1) {
    throw Error(ErrorCode::ambiguous,
                "more than one structure gives the recorded numbers; record the inputs that tell them apart, or state "
                "what you know of them with --architecture",
                options.reference_file, "one structure", std::to_string(result.fits.size()));
  }
  adopt(result, loaded.original);
  // Recorded scores settle the structure, but the verification compares logits.
  if (result.fits.front().front().recorded != Recorded::logits) reference.reset();
  return true;
}

/// Whether the export computes what the original does; prints the report.
bool verified(const LoadedOriginal& loaded, OriginalRunner& runner, const Model& model, bool quiet,
              const std::optional<RecordedReference>& reference) {
  VerifyReport report;
  {
    ProgressLine line(!quiet, "verifying", "inputs");
    VerifyOptions options;
    if (reference) {
      options.reference = reference->records;
      options.reference_is_double = reference->is_double;
    }
    options.progress = [&](std::size_t done, std::size_t all) { line.show(done, all); };
    report = verify(loaded.original, runner, model, options);
  }
  if (!report.passed || !quiet) std::cerr << to_text(report);
  return report.passed;
}

}  // namespace

int export_model(const ExportOptions& options) {
  ArchitectureStatement statement;
  if (!options.architecture_file.empty()) statement = load_architecture_statement(options.architecture_file);
  LoadedOriginal loaded = load_original(options.checkpoint, options.key, statement, options.flags);
  std::optional<RecordedReference> reference = recorded(options);
  if (options.search) {
    if (!options.quiet) std::cerr << options.checkpoint << ": " << loaded.form << "\n";
    if (!settled_by_search(options, reference, loaded)) return 1;
  }
  if (!options.quiet) print_findings(loaded);
  check_labels(options, loaded.original.architecture);

  Model model;
  std::unique_ptr<OriginalRunner> runner;
  try {
    model = fold(loaded.original);
    describe(options, model.info, loaded);
    if (options.verify) {
      runner = make_runner(loaded);
      model.golden = golden_vectors(loaded.original.architecture, *runner);
    }
  } catch (const Error& error) {
    throw error.where().starts_with(options.checkpoint) ? error : error.at(options.checkpoint);
  }
  // What is verified and written is what a reader of the file gets, not what we believe we wrote.
  const std::string json = to_json(model);
  model = parse_model(json);
  if (options.verify && !verified(loaded, *runner, model, options.quiet, reference)) {
    std::cerr << "bytecnn export: " << options.checkpoint
              << ": the export does not compute what the original does; nothing was written\n";
    if (reference && !options.search) {
      std::cerr << "where the structure was only assumed, --search finds out which one the recorded numbers fit\n";
    }
    return 1;
  }

  const std::string stem = stem_of(options.checkpoint);
  OutputFiles files(options.output_dir);
  if (options.json) files.add(stem + ".json", json);
  if (options.python) files.add(stem + "_weights.py", to_python(model));
  if (options.cpp) files.add(stem + ".hpp", to_cpp(model, stem));
  for (const std::string& path : files.commit()) std::cout << path << "\n";
  if (!std::cout.flush()) throw Error(ErrorCode::io, "cannot write to standard output");
  if (!options.verify && !options.quiet) std::cerr << "not verified (--no-verify)\n";
  return 0;
}

}  // namespace bytecnn::exporter
