/// bytecnn-verify: `bytecnn verify` starts this program.

#include <exception>
#include <filesystem>
#include <iostream>
#include <new>

#include "bytecnn/classifier.hpp"
#include "bytecnn/error.hpp"
#include "bytecnn/isa.hpp"
#include "bytecnn/model_json.hpp"

#include "certificate/sha256.hpp"
#include "file_bytes.hpp"
#include "original_loader.hpp"
#include "progress_line.hpp"
#include "verify/certificate.hpp"
#include "verify/certificate_html.hpp"
#include "verify/corpus_files.hpp"
#include "verify/recorded_reference.hpp"
#include "verify/verify.hpp"
#include "verify/verify_options.hpp"

namespace {

using namespace bytecnn;
using namespace bytecnn::exporter;

VerifyOptions stage_options(const VerifyProgramOptions& given, const Model& model) {
  VerifyOptions options;
  options.seed = given.seed;
  options.exhaustive = given.exhaustive;
  options.arithmetic = given.arithmetic;
  if (given.samples) {  // who names a number gets it, however long it takes
    options.samples = *given.samples;
    options.work_limit = 0;
  }
  if (given.tolerance) {
    options.engine_tolerance = *given.tolerance;
    options.fold_tolerance = *given.tolerance / 10;
  }
  for (const std::string& path : given.corpora) {
    // A byte beyond max_len shows that the rest is cut off; more of a large file would show no more.
    auto inputs = load_corpus(path, std::size_t{model.architecture.max_len} + 1);
    options.corpus.insert(options.corpus.end(), std::move_iterator(inputs.begin()), std::move_iterator(inputs.end()));
  }
  if (!given.reference_file.empty()) {
    auto reference = load_reference(given.reference_file);
    options.reference = std::move(reference.records);
    options.reference_is_double = reference.is_double;
  }
  return options;
}

void write_certificates(const VerifyProgramOptions& given, const Original& original, const Model& model,
                        const VerifiedFiles& files, const VerifyReport& report) {
  const std::string json = certificate(files, original, model, report);
  for (const std::string& file : given.reports) {
    const std::filesystem::path path(file);
    OutputFiles output(path.has_parent_path() ? path.parent_path().string() : ".");
    output.add(path.filename().string(), path.extension() == ".html" ? certificate_html(json) : json);
    output.commit();
  }
}

/// A model file says which file it was made from. Another one may hold the same model; it is worth a word all the same.
void compare_source(const Model& model, const std::string& checkpoint_hash, VerifyReport& report) {
  const auto stated = model.info.source.find("sha256");
  if (stated != model.info.source.end() && stated->second != checkpoint_hash) {
    report.differences.push_back("source: the model file was made from a checkpoint with another SHA-256, " +
                                 stated->second);
  }
}

/// Throws where the model cannot be computed so: before the checkpoint is read and run.
void require_arithmetic(const Model& model, const VerifyProgramOptions& given) {
  if (given.arithmetic == bytecnn::Arithmetic::float32) return;
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference) continue;
    try {
      static_cast<void>(Classifier(model, ClassifierOptions{isa, given.arithmetic}));
    } catch (const Error& error) {
      throw error.at(given.model);
    }
    return;
  }
}

int run(const VerifyProgramOptions& given) {
  const Model model = load_model(given.model);
  require_arithmetic(model, given);
  VerifyOptions options = stage_options(given, model);
  ArchitectureStatement statement;
  if (!given.recognition.architecture_file.empty()) {
    statement = load_architecture_statement(given.recognition.architecture_file);
  }
  const LoadedOriginal loaded =
      load_original(given.checkpoint, given.recognition.key, statement, recognition_flags(given.recognition));
  VerifyReport report;
  try {
    const auto runner = make_runner(loaded);
    ProgressLine line(!given.quiet, "verifying", "inputs");
    options.progress = [&](std::size_t done, std::size_t all) { line.show(done, all); };
    report = verify(loaded.original, *runner, model, options);
  } catch (const Error& error) {
    throw error.where().starts_with(given.checkpoint) ? error : error.at(given.checkpoint);
  }
  const std::string checkpoint_hash = sha256_of_file(given.checkpoint);
  compare_source(model, checkpoint_hash, report);
  if (!given.reports.empty()) {
    write_certificates(given, loaded.original, model,
                       {given.checkpoint, checkpoint_hash, loaded.form, given.model, sha256_of_file(given.model)},
                       report);
  }
  if (!given.quiet || !report.passed)
    std::cout << given.model << " against " << given.checkpoint << "\n" << to_text(report);
  if (!std::cout.flush()) throw Error(ErrorCode::io, "cannot write to standard output");
  return report.passed ? 0 : 1;
}

int exit_status(ErrorCode code) {
  switch (code) {
    case ErrorCode::usage:
      return 2;
    case ErrorCode::unsupported:
      return 4;
    default:
      return 3;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string file;
  try {
    const auto options = parse_verify_options(argc, argv);
    if (!options) return 0;
    file = options->checkpoint + ": ";
    return run(*options);
  } catch (const Error& error) {
    std::cerr << "bytecnn verify: " << error.what() << "\n";
    return exit_status(error.code());
  } catch (const std::bad_alloc&) {
    std::cerr << "bytecnn verify: " << file << "not enough memory\n";
    return 3;
  } catch (const std::exception& error) {
    std::cerr << "bytecnn verify: " << file << error.what() << "\n";
    return 3;
  }
}
