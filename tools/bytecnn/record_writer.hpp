#pragma once
/// Results as lines: one for each record, whatever became of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "bytecnn/classifier.hpp"

#include "record_source.hpp"
#include "standard_output.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {

enum class Format : std::uint8_t { text, tsv, jsonl, score, label };

/// A classified record. Logits and scores hold one float an output.
struct Classified {
  Result result;
  std::span<const float> logits;
  std::span<const float> scores;
  std::optional<double> microseconds;
};

class RecordWriter {
 public:
  RecordWriter(const Classifier& classifier, Format format, ColorChoice color, bool show_bytes, StandardOutput& output);

  void write(const Record& record, const Classified& classified);
  /// The line of a record that could not be classified. Formats without room for a reason tell it on standard error.
  void write_error(const Record& record, const std::string& reason);

 private:
  void write_text(const Record& record, const Classified& classified);
  void write_tsv(const Record& record, const Classified& classified);
  void write_json(const Record& record, const Classified& classified);
  [[nodiscard]] std::string subject(const Record& record, std::size_t used_columns) const;
  /// Indices of the labels that hold: of a multi-label model any number, else one, or none where it is uncertain.
  [[nodiscard]] std::vector<std::size_t> chosen_labels(const Classified& classified) const;

  const Classifier& classifier_;
  Format format_;
  Painter painter_;
  bool show_bytes_;  ///< text: show the input itself instead of its id
  StandardOutput& output_;
  bool multi_label_;
  std::size_t label_columns_;
  std::size_t line_columns_;
};

}  // namespace bytecnn::cli
