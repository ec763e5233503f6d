/// JSON Lines: one object a line, the text in one of its fields.

#include <utility>

#include <nlohmann/json.hpp>

#include "record_source.hpp"

namespace bytecnn::cli {
namespace {

using Json = nlohmann::json;

class JsonLinesSource final : public RecordSource {
 public:
  JsonLinesSource(const std::string& path, std::string field, const std::string& id_prefix, InputLimit limit)
      : lines_(delimited_source(path, '\n', id_prefix, {max_record_bytes, true})),
        field_(std::move(field)),
        limit_(limit) {}

  bool next(Block& block) override {
    if (!lines_->next(block)) return false;
    texts_.clear();
    texts_.reserve(block.size());  // records point into what stands here
    for (Record& record : block) {
      if (record.error.empty()) decode(record);
    }
    return true;
  }

 private:
  void decode(Record& record) {
    const auto line = std::exchange(record.bytes, {});
    // The DOM is built without recursion, so nesting costs memory in proportion to the line and nothing else.
    const char* text = reinterpret_cast<const char*>(line.data());
    Json json = Json::parse(text, text + line.size(), nullptr, false);
    if (json.is_discarded()) {
      record.error = "not a JSON value";
      return;
    }
    if (!json.is_object()) {
      record.error = "expected a JSON object, found " + std::string(json.type_name());
      return;
    }
    take_id(json, record);
    const Json* value = find(json);
    if (value == nullptr) {
      record.error = "the record has no field \"" + field_ + "\"; --field names the one that holds the text";
    } else if (!value->is_string()) {
      record.error = "field \"" + field_ + "\": expected a string, found " + value->type_name();
    } else {
      texts_.push_back(value->get<std::string>());
      const auto bytes = std::as_bytes(std::span(texts_.back()));
      if (bytes.size() > limit_.bytes && limit_.longer_is_error) {
        record.error = "the text is longer than " + std::to_string(limit_.bytes) + " bytes";
      } else {
        record.bytes = bytes.first(std::min(bytes.size(), limit_.bytes));
      }
    }
  }

  static void take_id(const Json& json, Record& record) {
    const auto id = json.find("id");
    if (id == json.end()) return;
    if (id->is_string()) record.id = {id->get<std::string>(), false};
    if (id->is_number()) record.id = {id->dump(), true};
  }

  const Json* find(const Json& json) const {
    if (!field_.starts_with('/')) {
      const auto found = json.find(field_);
      return found == json.end() ? nullptr : &*found;
    }
    const Json::json_pointer pointer(field_);
    return json.contains(pointer) ? &json.at(pointer) : nullptr;
  }

  std::unique_ptr<RecordSource> lines_;
  std::string field_;
  InputLimit limit_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<RecordSource> json_lines_source(const std::string& path, const std::string& field,
                                                const std::string& id_prefix, InputLimit limit) {
  return std::make_unique<JsonLinesSource>(path, field, id_prefix, limit);
}

}  // namespace bytecnn::cli
