#pragma once
/// Results as lines: one for each record, whatever became of it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bytecnn/classifier.hpp"

#include "block.hpp"
#include "output_buffer.hpp"
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

/// What is written of some records.
struct WrittenLines {
  OutputBuffer output;
  OutputBuffer messages;  ///< for standard error
};

/// May be used by many threads at once.
class RecordWriter {
 public:
  RecordWriter(const Classifier& classifier, Format format, ColorChoice color, bool show_bytes);

  void write(const Block& block, const Record& record, const Classified& classified, WrittenLines& lines) const;
  /// The line of a record that could not be classified. Formats without room for a reason tell it in a message.
  void write_error(const Block& block, const Record& record, WrittenLines& lines) const;

 private:
  void write_text(const Block& block, const Record& record, const Classified& classified, OutputBuffer& output) const;
  void write_tsv(const Block& block, const Record& record, const Classified& classified, OutputBuffer& output) const;
  void write_json(const Block& block, const Record& record, const Classified& classified, OutputBuffer& output) const;
  [[nodiscard]] std::string subject(const Block& block, const Record& record, std::size_t used_columns) const;
  /// Whether a multi-label model's label `index` holds.
  [[nodiscard]] bool holds(const Classified& classified, std::size_t index) const;
  [[nodiscard]] std::string label_text(const Classified& classified) const;

  const Classifier& classifier_;
  Format format_;
  Painter painter_;
  bool show_bytes_;  ///< text: show the input itself instead of its name
  bool multi_label_;
  std::vector<std::string> tsv_labels_;   ///< of each label, and last what stands for none
  std::vector<std::string> json_labels_;  ///< likewise
  std::size_t label_columns_;
  std::size_t line_columns_;
};

}  // namespace bytecnn::cli
