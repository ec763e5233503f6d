#pragma once
/// The command line of `bytecnn verify`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bytecnn/arithmetic.hpp"

#include "recognition_options.hpp"

namespace bytecnn::exporter {

struct VerifyProgramOptions {
  std::string checkpoint, model;
  RecognitionOptions recognition;
  std::vector<std::string> corpora;  ///< files of lines, or folders of files
  std::string reference_file;
  std::vector<std::string> reports;  ///< FILE.json, FILE.html
  bytecnn::Arithmetic arithmetic = bytecnn::Arithmetic::float32;
  std::optional<double> tolerance;
  std::optional<std::size_t> samples;
  std::uint64_t seed = 1;
  bool exhaustive = false;
  bool quiet = false;
};

/// Parses the command line. Nothing is returned where there is nothing to do (--help, which was printed). Throws
/// `Error` (usage) that says which argument is wrong.
[[nodiscard]] std::optional<VerifyProgramOptions> parse_verify_options(int argc, char** argv);

}  // namespace bytecnn::exporter
