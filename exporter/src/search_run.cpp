#include "search_run.hpp"

#include <string>

#include "bytecnn/error.hpp"

#include "progress_line.hpp"

namespace bytecnn::exporter {

SearchResult search_with_progress(const LoadedOriginal& loaded, const RecordedReference& reference,
                                  const ExportOptions& options) {
  ProgressLine line(!options.quiet, "searching", "seconds");
  SearchOptions search;
  search.seconds = options.search_seconds;
  search.progress = [&](const SearchProgress& progress) {
    line.show(static_cast<std::size_t>(progress.seconds), static_cast<std::size_t>(options.search_seconds),
              std::to_string(progress.tried) + " structures tried, " + std::to_string(progress.fits) + " fit");
  };
  try {
    return search_structures(loaded.original, reference, loaded.hints, search);
  } catch (const Error& error) {
    throw error.at(options.reference_file);
  }
}

}  // namespace bytecnn::exporter
