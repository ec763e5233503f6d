#pragma once
/// `bytecnn inspect`: what a checkpoint holds, without exporting it.

#include "export_options.hpp"

namespace bytecnn::exporter {

/// Prints form, state dicts, tensors, modules, hints, what would be assumed, or why the file would be refused, as
/// tables or (`inspect_json`) as one JSON object, on standard output. Returns 0 where the file could be read, even if
/// it would not be exported. Throws `Error` where it cannot be read.
[[nodiscard]] int inspect(const ExportOptions& options);

}  // namespace bytecnn::exporter
