#pragma once
/// The work of `bytecnn export`, from options to files.

#include "export_options.hpp"

namespace bytecnn::exporter {

/// Reads, recognises, folds, verifies and writes; prints what was found on standard error and the written paths on
/// standard output. Returns the exit status: 0, or 1 where the export does not compute what the original does (nothing
/// is written then). Throws `Error`.
[[nodiscard]] int export_model(const ExportOptions& options);

}  // namespace bytecnn::exporter
