#pragma once
/// What the condition number says of a report: a model that float32 cannot serve, or a wrong export.

#include <string>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

/// Only float32 fails: the export's numbers are right in double, and the export as it computes is too hard for float32.
/// A stage that compares in double is never excused.
[[nodiscard]] bool only_ill_conditioned(const VerifyReport& report);

/// One or two sentences; empty where `report.conditioning` is.
[[nodiscard]] std::string conditioning_text(const VerifyReport& report);

}  // namespace bytecnn::exporter
