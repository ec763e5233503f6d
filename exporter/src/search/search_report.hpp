#pragma once
/// What a search found, for people and for programs.

#include <string>

#include "search/structure_search.hpp"

namespace bytecnn::exporter {

/// A table of what fits (or came nearest), what settles the rest, and how much was tried; several lines.
[[nodiscard]] std::string to_text(const SearchResult& result);

/// One JSON object; every structure as an architecture statement that `--architecture` takes.
[[nodiscard]] std::string to_json(const SearchResult& result);

}  // namespace bytecnn::exporter
