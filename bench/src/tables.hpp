#pragma once
/// Results as Markdown tables.

#include <string>

#include "results.hpp"

namespace bytecnn::bench {

[[nodiscard]] std::string to_markdown(const Results& results);

}  // namespace bytecnn::bench
