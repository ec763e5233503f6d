#pragma once
/// Makes the records of a block ready to be classified: reads files, takes texts out of JSON. This is the part of
/// reading that threads do side by side.

#include <cstddef>
#include <string>

#include "block.hpp"
#include "record_source.hpp"

namespace bytecnn::cli {

class RecordLoader {
 public:
  /// `field`, of JSON Lines: a name, or a JSON pointer that begins with '/'. Of a file that has as many bytes as
  /// `long_file` or more, only these are read, whatever the limit; the remark on the record holds the rest.
  RecordLoader(std::string field, InputLimit limit, std::size_t long_file)
      : field_(std::move(field)), limit_(limit), long_file_(long_file) {}

  /// Makes records from `begin` on ready, at most `count`, and of files only as many as fit in about a megabyte.
  /// Returns the end of those that are. What earlier calls made ready in `block` is given up.
  [[nodiscard]] std::size_t load(Block& block, std::size_t begin, std::size_t count) const;

 private:
  void read_file(Block& block, Record& record) const;
  void decode_json(Block& block, Record& record) const;
  void decode_tsv(Block& block, Record& record) const;
  /// Gives `record` the text that stands last in `block.strings`.
  void take_text(Block& block, Record& record) const;

  std::string field_;
  InputLimit limit_;
  std::size_t long_file_;
};

}  // namespace bytecnn::cli
