#include "record_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iostream>

#include <nlohmann/json.hpp>

#include "number_text.hpp"
#include "windows.hpp"

namespace bytecnn::cli {
namespace {

/// The shortest digits that read back as the same float.
void append_float(StandardOutput& output, float value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  output << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_floats(StandardOutput& output, std::span<const float> values) {
  char separator = '[';
  for (const float value : values) {
    output << separator;
    append_float(output, value);
    separator = ',';
  }
  output << ']';
}

/// A cell of a tab-separated line: what would break the line apart is escaped with a backslash.
std::string tsv_cell(std::string_view text) {
  std::string cell;
  for (const char character : text) {
    switch (character) {
      case '\t':
        cell += "\\t";
        break;
      case '\n':
        cell += "\\n";
        break;
      case '\r':
        cell += "\\r";
        break;
      case '\\':
        cell += "\\\\";
        break;
      default:
        cell += character;
    }
  }
  return cell;
}

std::string json_id(const RecordId& id) {
  return id.is_json ? id.text : json_string(id.text);
}

constexpr std::size_t widest_label = 32;
constexpr std::size_t default_columns = 100;

}  // namespace

RecordWriter::RecordWriter(const Classifier& classifier, Format format, ColorChoice color, bool show_bytes,
                           StandardOutput& output)
    : classifier_(classifier),
      format_(format),
      painter_(color),
      show_bytes_(show_bytes),
      output_(output),
      multi_label_(classifier.model().architecture.output == Output::sigmoid && classifier.outputs() > 1),
      label_columns_(0),
      line_columns_(terminal_columns(default_columns)) {
  for (const std::string& label : classifier.labels()) {
    label_columns_ = std::max(label_columns_, std::min(widest_label, display_width(label)));
  }
  if (can_be_uncertain(classifier)) label_columns_ = std::max(label_columns_, std::string_view("uncertain").size());
}

std::vector<std::size_t> RecordWriter::chosen_labels(const Classified& classified) const {
  std::vector<std::size_t> chosen;
  if (multi_label_) {
    for (std::size_t i = 0; i < classified.scores.size(); ++i) {
      if (classified.scores[i] >= classifier_.threshold()) chosen.push_back(i);
    }
  } else if (classified.result.label >= 0) {
    chosen.push_back(static_cast<std::size_t>(classified.result.label));
  }
  return chosen;
}

void RecordWriter::write(const Record& record, const Classified& classified) {
  switch (format_) {
    case Format::text:
      write_text(record, classified);
      break;
    case Format::tsv:
      write_tsv(record, classified);
      break;
    case Format::jsonl:
      write_json(record, classified);
      break;
    case Format::score:
      append_float(output_, classified.result.score);
      break;
    case Format::label:
      output_ << tsv_cell(classifier_.label_name(classified.result));
      break;
  }
  output_ << '\n';
  output_.flush_if_large();
}

void RecordWriter::write_error(const Record& record, const std::string& reason) {
  switch (format_) {
    case Format::text: {
      const std::string id = printable(record.id.text, line_columns_);
      output_ << painter_.paint(Style::bad, "error") << "  " << id << ": " << reason;
      break;
    }
    case Format::tsv:
      output_ << tsv_cell(record.id.text) << "\t\t\t" << tsv_cell(reason);
      break;
    case Format::jsonl:
      output_ << "{\"id\":" << json_id(record.id) << ",\"error\":" << json_string(reason) << '}';
      break;
    case Format::score:
    case Format::label:
      std::cerr << "bytecnn: error: " << printable(record.id.text, line_columns_) << ": " << reason << '\n';
      break;
  }
  output_ << '\n';
  output_.flush_if_large();
}

void RecordWriter::write_text(const Record& record, const Classified& classified) {
  std::string labels;
  for (const std::size_t index : chosen_labels(classified)) {
    labels += (labels.empty() ? "" : ", ") + classifier_.labels()[index];
  }
  if (labels.empty()) labels = multi_label_ ? "none" : "uncertain";
  const std::string label = pad_right(printable(labels, multi_label_ ? line_columns_ : widest_label), label_columns_);
  std::string numbers = "  " + pad_left(fixed(static_cast<double>(classified.result.score), 4), 6);
  if (classified.microseconds) numbers += "  " + pad_left(fixed(*classified.microseconds, 2) + " us", 10);
  numbers += "  ";
  output_ << painter_.paint(Style::heading, label) << painter_.paint(Style::faint, numbers)
          << subject(record, display_width(label) + numbers.size());
}

std::string RecordWriter::subject(const Record& record, std::size_t used_columns) const {
  const std::size_t columns = line_columns_ > used_columns + 10 ? line_columns_ - used_columns : 10;
  if (!show_bytes_) return printable(record.id.text, std::max(columns, record.id.text.size()));
  const std::string_view text(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  // Four bytes are the most that a character takes.
  return printable(text.substr(0, 4 * columns + 4), columns);
}

void RecordWriter::write_tsv(const Record& record, const Classified& classified) {
  output_ << tsv_cell(record.id.text) << '\t' << tsv_cell(classifier_.label_name(classified.result)) << '\t';
  append_float(output_, classified.result.score);
  if (classified.microseconds) output_ << '\t' << fixed(*classified.microseconds, 3);
}

void RecordWriter::write_json(const Record& record, const Classified& classified) {
  const auto names = classifier_.labels();
  output_ << "{\"id\":" << json_id(record.id) << ",\"label\":";
  if (classified.result.label < 0) {
    output_ << "null";
  } else {
    output_ << json_string(names[static_cast<std::size_t>(classified.result.label)]);
  }
  if (multi_label_) {
    output_ << ",\"labels\":[";
    bool first = true;
    for (const std::size_t index : chosen_labels(classified)) {
      output_ << (first ? "" : ",") << json_string(names[index]);
      first = false;
    }
    output_ << ']';
  }
  output_ << ",\"score\":";
  append_float(output_, classified.result.score);
  output_ << ",\"scores\":";
  append_floats(output_, classified.scores);
  output_ << ",\"logits\":";
  append_floats(output_, classified.logits);
  if (classified.microseconds) output_ << ",\"microseconds\":" << fixed(*classified.microseconds, 3);
  output_ << '}';
}

}  // namespace bytecnn::cli
