#pragma once
/// Numbers that a user recorded from Python, and inputs of their own.

#include <string>
#include <string_view>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

struct RecordedReference {
  std::vector<Golden> records;
  bool is_double = true;
};

/// What exporter/record_reference.py writes: {"dtype": "float64", "inputs": [{"input_hex": "...", "logits": [...]}]}; a
/// list of such records alone is fine. Without "dtype", numbers that all fit float32 exactly are float32 records.
/// Throws `Error` (syntax, invalid) with a JSON pointer as its place.
[[nodiscard]] RecordedReference parse_reference(std::string_view text);

/// One input a line; the newline is not part of it.
[[nodiscard]] std::vector<Bytes> parse_corpus(std::string_view content);

}  // namespace bytecnn::exporter
