#pragma once
/// The command line of `bytecnn export`.

#include <optional>
#include <string>
#include <vector>

#include "recognise.hpp"

namespace bytecnn::exporter {

struct ExportOptions {
  std::string checkpoint;
  bool json = true, python = true, cpp = false;
  std::string output_dir = ".";
  std::string name;  ///< empty: the stem
  std::string version;
  std::optional<double> accuracy;
  std::vector<std::string> labels;
  std::optional<double> threshold;
  std::string architecture_file;
  std::string key;
  std::string reference_file;  ///< numbers recorded from Python
  bool search = false;         ///< which structures fit them
  double search_seconds = 60;  ///< at most
  RecognitionFlags flags;
  bool verify = true;
  bool quiet = false;
  bool inspect = false;       ///< only say what is in the file
  bool inspect_json = false;  ///< ... as JSON
};

/// Whether these are the arguments of `bytecnn inspect`, which starts the program with --inspect in front.
[[nodiscard]] bool asks_to_inspect(int argc, char** argv);

/// Parses the command line. Nothing is returned where there is nothing to do (--help, which was printed). Throws
/// `Error` (usage) that says which argument is wrong.
[[nodiscard]] std::optional<ExportOptions> parse_export_options(int argc, char** argv);

/// The checkpoint's file name without its folder and its last extension.
[[nodiscard]] std::string stem_of(const std::string& checkpoint);

}  // namespace bytecnn::exporter
