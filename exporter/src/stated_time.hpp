#pragma once
/// The time that written files state.

#include <string>

namespace bytecnn::exporter {

/// Now in UTC, "2026-11-22T12:00:00Z", or the time that SOURCE_DATE_EPOCH fixes for reproducible files
/// (https://reproducible-builds.org/specs/). Throws `Error` (usage) where that is no time.
[[nodiscard]] std::string stated_time();

}  // namespace bytecnn::exporter
