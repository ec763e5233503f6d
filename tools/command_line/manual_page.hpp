#pragma once
/// Manual pages in man(7).

#include <string>

#include "description.hpp"

namespace bytecnn::cli {

struct ManualContext {
  std::string version;                ///< "0.1.0"
  std::string date;                   ///< "2026-11-24"
  std::vector<std::string> see_also;  ///< "bytecnn-info"
};

/// The page of one command: "bytecnn classify" gives bytecnn-classify(1).
[[nodiscard]] std::string manual_page(const CommandDescription& command, const ManualContext& context);
/// "bytecnn-classify"
[[nodiscard]] std::string page_name(const CommandDescription& command);

}  // namespace bytecnn::cli
