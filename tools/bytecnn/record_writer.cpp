#include "record_writer.hpp"

#include <algorithm>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "number_text.hpp"

namespace bytecnn::cli {
namespace {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void append_floats(OutputBuffer& output, std::span<const float> values) {
  char separator = '[';
  for (const float value : values) {
    output << separator << value;
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

void append_tsv_name(OutputBuffer& output, const RecordName& name) {
  output << (name.is_json ? name.text : tsv_cell(name.text));
}

void append_json_name(OutputBuffer& output, const RecordName& name) {
  output << (name.is_json ? name.text : json_string(name.text));
}

/// The entry of the result's label in a list that ends with what stands for none.
const std::string& label_of(const std::vector<std::string>& names, const Result& result) {
  return result.label < 0 ? names.back() : names[static_cast<std::size_t>(result.label)];
}

constexpr std::size_t widest_label = 32;
constexpr std::size_t default_columns = 100;

}  // namespace

RecordWriter::RecordWriter(const Classifier& classifier, Format format, ColorChoice color, bool show_bytes)
    : classifier_(classifier),
      format_(format),
      painter_(color),
      show_bytes_(show_bytes),
      multi_label_(classifier.model().architecture.output == Output::sigmoid && classifier.outputs() > 1),
      label_columns_(0),
      line_columns_(terminal_columns(default_columns)) {
  for (const std::string& label : classifier.labels()) {
    tsv_labels_.push_back(tsv_cell(label));
    json_labels_.push_back(json_string(label));
    label_columns_ = std::max(label_columns_, std::min(widest_label, display_width(label)));
  }
  tsv_labels_.emplace_back("uncertain");
  json_labels_.emplace_back("null");
  const bool can_be_uncertain = classifier.outputs() > 1 && !multi_label_ && classifier.model().info.threshold;
  if (can_be_uncertain) label_columns_ = std::max(label_columns_, std::string_view("uncertain").size());
}

bool RecordWriter::holds(const Classified& classified, std::size_t index) const {
  return classified.scores[index] >= classifier_.threshold();
}

std::string RecordWriter::label_text(const Classified& classified) const {
  if (!multi_label_) return printable(classifier_.label_name(classified.result), widest_label);
  std::string text;
  for (std::size_t i = 0; i < classified.scores.size(); ++i) {
    if (holds(classified, i)) text += (text.empty() ? "" : ", ") + classifier_.labels()[i];
  }
  return text.empty() ? "none" : printable(text, line_columns_);
}

void RecordWriter::write(const Block& block, const Record& record, const Classified& classified,
                         WrittenLines& lines) const {
  OutputBuffer& output = lines.output;
  switch (format_) {
    case Format::text:
      write_text(block, record, classified, output);
      break;
    case Format::tsv:
      write_tsv(block, record, classified, output);
      break;
    case Format::jsonl:
      write_json(block, record, classified, output);
      break;
    case Format::score:
      output << classified.result.score;
      break;
    case Format::label:
      output << label_of(tsv_labels_, classified.result);
      break;
  }
  output << '\n';
}

void RecordWriter::write_error(const Block& block, const Record& record, WrittenLines& lines) const {
  OutputBuffer& output = lines.output;
  const RecordName name = block.name_of(record);
  const std::string_view reason = block.error_of(record);
  switch (format_) {
    case Format::text:
      output << painter_.paint(Style::bad, "error") << "  " << printable(name.text, line_columns_) << ": "
             << printable(reason, SIZE_MAX);
      break;
    case Format::tsv:
      append_tsv_name(output, name);
      output << "\t\t\t" << tsv_cell(reason);
      break;
    case Format::jsonl:
      output << "{\"id\":";
      append_json_name(output, name);
      output << ",\"error\":" << json_string(reason) << '}';
      break;
    case Format::score:
    case Format::label:
      lines.messages << "bytecnn: error: " << printable(name.text, line_columns_) << ": " << printable(reason, SIZE_MAX)
                     << '\n';
      break;
  }
  output << '\n';
}

void RecordWriter::write_text(const Block& block, const Record& record, const Classified& classified,
                              OutputBuffer& output) const {
  const std::string label = pad_right(label_text(classified), label_columns_);
  std::string numbers = "  " + pad_left(fixed(static_cast<double>(classified.result.score), 4), 6);
  if (classified.microseconds) numbers += "  " + pad_left(fixed(*classified.microseconds, 2) + " us", 10);
  numbers += "  ";
  output << painter_.paint(Style::heading, label) << painter_.paint(Style::faint, numbers)
         << subject(block, record, display_width(label) + numbers.size());
}

std::string RecordWriter::subject(const Block& block, const Record& record, std::size_t used_columns) const {
  const std::size_t columns = line_columns_ > used_columns + 10 ? line_columns_ - used_columns : 10;
  if (!show_bytes_) return printable(block.name_of(record).text, SIZE_MAX);
  const std::string_view text(reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size());
  // Four bytes are the most that a character takes.
  return printable(text.substr(0, 4 * columns + 4), columns);
}

void RecordWriter::write_tsv(const Block& block, const Record& record, const Classified& classified,
                             OutputBuffer& output) const {
  append_tsv_name(output, block.name_of(record));
  output << '\t' << label_of(tsv_labels_, classified.result) << '\t' << classified.result.score;
  if (classified.microseconds) output << '\t' << fixed(*classified.microseconds, 3);
}

void RecordWriter::write_json(const Block& block, const Record& record, const Classified& classified,
                              OutputBuffer& output) const {
  output << "{\"id\":";
  append_json_name(output, block.name_of(record));
  output << ",\"label\":" << label_of(json_labels_, classified.result);
  if (multi_label_) {
    output << ",\"labels\":[";
    bool first = true;
    for (std::size_t i = 0; i < classified.scores.size(); ++i) {
      if (!holds(classified, i)) continue;
      output << (first ? "" : ",") << json_labels_[i];
      first = false;
    }
    output << ']';
  }
  output << ",\"score\":" << classified.result.score << ",\"scores\":";
  append_floats(output, classified.scores);
  output << ",\"logits\":";
  append_floats(output, classified.logits);
  if (classified.microseconds) output << ",\"microseconds\":" << fixed(*classified.microseconds, 3);
  output << '}';
}

}  // namespace bytecnn::cli
