#pragma once
/// Numbers that a user recorded from Python.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/verify.hpp"

namespace bytecnn::exporter {

struct RecordedReference {
  std::vector<Golden> records;
  bool is_double = true;
  /// To what the inputs were cut and padded when they were recorded, where the file says so.
  std::optional<std::uint32_t> max_len;
  /// Inner: none where they were not padded.
  std::optional<std::optional<std::uint32_t>> pad_token;
};

/// What exporter/record_reference.py writes: {"dtype": "float64", "max_len": 512, "pad_token": 0, "inputs":
/// [{"input_hex": "...", "logits": [...]}]}; a list of such records alone is fine. Without "dtype", numbers that all
/// fit float32 exactly are float32 records. Throws `Error` (syntax, invalid) with a JSON pointer as its place.
[[nodiscard]] RecordedReference parse_reference(std::string_view text);
/// The same from a file; errors name it.
[[nodiscard]] RecordedReference load_reference(const std::string& path);

}  // namespace bytecnn::exporter
