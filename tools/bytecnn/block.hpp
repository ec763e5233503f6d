#pragma once
/// A block of records and the memory that they lie in. Blocks are used again for other records, so that a long stream
/// allocates next to nothing.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "input_file.hpp"

namespace bytecnn::cli {

/// What a result is called where that is not simply a number: a file's name, or the id that a JSON record brought
/// along.
struct RecordName {
  std::string text;
  bool is_json = false;  ///< `text` is a JSON value already, e.g. a number
};

/// What only few records have.
struct Remark {
  std::optional<RecordName> name;
  std::string error;                ///< not empty: there is no input, and this is why
  std::unique_ptr<InputFile> rest;  ///< of a long file: what follows `bytes`, read while it is classified
};

struct Record {
  static constexpr std::uint32_t no_remark = UINT32_MAX;
  std::span<const std::byte> bytes;
  std::uint64_t number = 0;  ///< its place in the file, from 1
  std::uint32_t remark = no_remark;
};

/// How the records of a block are to be made ready.
enum class Contents : std::uint8_t {
  ready,       ///< `bytes` are the inputs
  json_lines,  ///< `bytes` are JSON objects that hold the inputs
  tsv_lines,   ///< `bytes` are tab-separated cells; the first one, escaped, is the input
  files,       ///< names are those of files that have not been read yet
};

struct Block {
  std::vector<Record> records;
  std::vector<Remark> remarks;
  std::string name_prefix;  ///< numbered records are called "PREFIX:NUMBER" where it is not empty
  Contents contents = Contents::ready;

  std::vector<std::byte> buffer;    ///< what was read; it keeps its size from block to block
  std::deque<std::string> strings;  ///< decoded texts and the contents of files; their addresses stay

  void clear() {
    records.clear();
    remarks.clear();
    name_prefix.clear();
    contents = Contents::ready;
    strings.clear();
  }

  Remark& remark_on(Record& record) {
    if (record.remark == Record::no_remark) {
      record.remark = static_cast<std::uint32_t>(remarks.size());
      remarks.emplace_back();
    }
    return remarks[record.remark];
  }
  /// The record has no input, and this is why.
  void fail(Record& record, std::string reason) {
    record.bytes = {};
    remark_on(record).error = std::move(reason);
  }
  /// Empty where the record holds an input.
  [[nodiscard]] std::string_view error_of(const Record& record) const {
    return record.remark == Record::no_remark ? std::string_view() : remarks[record.remark].error;
  }
  [[nodiscard]] RecordName name_of(const Record& record) const {
    if (record.remark != Record::no_remark && remarks[record.remark].name) return *remarks[record.remark].name;
    const std::string number = std::to_string(record.number);
    return name_prefix.empty() ? RecordName{number, true} : RecordName{name_prefix + ":" + number, false};
  }
};

}  // namespace bytecnn::cli
