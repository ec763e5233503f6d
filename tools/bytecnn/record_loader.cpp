#include "record_loader.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "input_file.hpp"

namespace bytecnn::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t batch_bytes = std::size_t{1} << 20U;
constexpr std::size_t first_read = std::size_t{1} << 14U;

/// The value at `field`, a name or a JSON pointer, or null.
const Json* find(const Json& json, const std::string& field) {
  if (!field.starts_with('/')) {
    const auto found = json.find(field);
    return found == json.end() ? nullptr : &*found;
  }
  const Json::json_pointer pointer(field);
  return json.contains(pointer) ? &json.at(pointer) : nullptr;
}

/// What a letter after a backslash stands for where databases write tab-separated text.
char unescaped(char letter) {
  switch (letter) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case '0':
      return '\0';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return letter;
  }
}

/// An `id` in the record is handed on.
void take_id(const Json& json, Block& block, Record& record) {
  const auto id = json.find("id");
  if (id == json.end()) return;
  if (id->is_string()) block.remark_on(record).name = RecordName{id->get<std::string>(), false};
  if (id->is_number()) block.remark_on(record).name = RecordName{id->dump(), true};
}

}  // namespace

std::size_t RecordLoader::load(Block& block, std::size_t begin, std::size_t count) const {
  block.strings.clear();
  std::size_t end = std::min(begin + count, block.records.size());
  if (block.contents == Contents::json_lines || block.contents == Contents::tsv_lines) {
    const auto decode = block.contents == Contents::json_lines ? &RecordLoader::decode_json : &RecordLoader::decode_tsv;
    for (std::size_t i = begin; i < end; ++i) {
      if (block.error_of(block.records[i]).empty()) (this->*decode)(block, block.records[i]);
    }
  } else if (block.contents == Contents::files) {
    std::size_t bytes = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (block.error_of(block.records[i]).empty()) read_file(block, block.records[i]);
      bytes += block.records[i].bytes.size();
      if (bytes >= batch_bytes) end = i + 1;
    }
  }
  return end;
}

void RecordLoader::read_file(Block& block, Record& record) const {
  Remark& remark = block.remarks[record.remark];
  auto file = std::make_unique<InputFile>(remark.name->text);
  std::string& content = block.strings.emplace_back();
  // One byte more than is kept tells a longer file.
  const std::size_t wanted = std::min(limit_.bytes + (limit_.longer_is_error ? 1 : 0), long_file_);
  std::size_t size = 0;
  while (size < wanted) {
    if (size == content.size()) content.resize(std::min(wanted, std::max(first_read, 2 * size)));
    const std::size_t count = file->read_some(std::as_writable_bytes(std::span(content)).subspan(size));
    if (count == 0) break;
    size += count;
  }
  if (size == long_file_) {
    remark.rest = std::move(file);
    record.bytes = std::as_bytes(std::span(content)).first(size);
    return;
  }
  if (size == wanted) file->drain_pipe();
  if (!file->error().empty()) {
    block.fail(record, file->error());
  } else if (size > limit_.bytes) {
    block.fail(record, "the file is longer than " + std::to_string(limit_.bytes) + " bytes");
  } else {
    record.bytes = std::as_bytes(std::span(content)).first(size);
  }
}

void RecordLoader::decode_json(Block& block, Record& record) const {
  const auto line = std::exchange(record.bytes, {});
  // The DOM is built without recursion, so nesting costs memory in proportion to the line and nothing else.
  const char* text = reinterpret_cast<const char*>(line.data());
  Json json = Json::parse(text, text + line.size(), nullptr, false);
  if (json.is_discarded()) return block.fail(record, "not a JSON value");
  if (!json.is_object()) {
    return block.fail(record, "expected a JSON object, found " + std::string(json.type_name()));
  }
  take_id(json, block, record);
  const Json* value = find(json, field_);
  if (value == nullptr) {
    return block.fail(record, "the record has no field \"" + field_ + "\"; --field names the one that holds the text");
  }
  if (!value->is_string()) {
    return block.fail(record, "field \"" + field_ + "\": expected a string, found " + value->type_name());
  }
  block.strings.push_back(value->get<std::string>());
  take_text(block, record);
}

void RecordLoader::decode_tsv(Block& block, Record& record) const {
  const auto line = std::exchange(record.bytes, {});
  std::string_view cell(reinterpret_cast<const char*>(line.data()), line.size());
  cell = cell.substr(0, cell.find('\t'));
  std::string& text = block.strings.emplace_back();
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const bool escape = cell[i] == '\\' && i + 1 < cell.size();
    text += escape ? unescaped(cell[++i]) : cell[i];
  }
  take_text(block, record);
}

void RecordLoader::take_text(Block& block, Record& record) const {
  const auto bytes = std::as_bytes(std::span(block.strings.back()));
  if (bytes.size() > limit_.bytes && limit_.longer_is_error) {
    return block.fail(record, "the text is longer than " + std::to_string(limit_.bytes) + " bytes");
  }
  record.bytes = bytes.first(std::min(bytes.size(), limit_.bytes));
}

}  // namespace bytecnn::cli
