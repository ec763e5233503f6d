#pragma once
/// The search for a structure as the program runs it.

#include "export_options.hpp"
#include "original_loader.hpp"
#include "search/structure_search.hpp"

namespace bytecnn::exporter {

/// `search_structures` with the options' time limit and, unless `quiet`, a bar on terminals. Errors name the recording.
[[nodiscard]] SearchResult search_with_progress(const LoadedOriginal& loaded, const RecordedReference& reference,
                                                const ExportOptions& options);

}  // namespace bytecnn::exporter
