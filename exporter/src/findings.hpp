#pragma once
/// What was found in a checkpoint and what was assumed, for people.

#include <string>
#include <vector>

#include "original_loader.hpp"

namespace bytecnn::exporter {

struct Finding {
  std::string key, value, source;
};

/// One row a property: sizes first ("checkpoint"), then everything that shapes leave open, with its source.
[[nodiscard]] std::vector<Finding> findings(const Original& original);

/// What `architecture` says under a key of `Original::sources` ("pooling", "conv2.padding"); the values of all layers,
/// once where they agree. Empty where nothing has such a key.
[[nodiscard]] std::string value_of(const Architecture& architecture, const std::string& key);

/// Rows as aligned columns, one line each, indented by two.
[[nodiscard]] std::string to_text(const std::vector<Finding>& rows);

}  // namespace bytecnn::exporter
