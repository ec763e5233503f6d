#pragma once
/// The command line options that say what a checkpoint does not: the same for every program that reads one.

#include <string>

#include "recognise.hpp"

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11's own
class App;
}

namespace bytecnn::exporter {

/// The arguments as text, before they are understood.
struct RecognitionOptions {
  std::string architecture_file, key, pooling, max_len, pad_token, batch_norm_position, batch_norm_eps;
};

/// Adds --architecture, --key, --pooling, --max-len, --pad-token, --bn-position and --bn-eps.
void add_recognition_options(CLI::App& app, RecognitionOptions& options);

/// What they state. Throws `Error` (usage) that names the option.
[[nodiscard]] RecognitionFlags recognition_flags(const RecognitionOptions& options);

}  // namespace bytecnn::exporter
