#pragma once
/// Where inputs come from. A source hands out blocks of records: as many as are at hand, never more than fit a fixed
/// amount of memory, so that a stream of any length passes through and an interactive reader is answered at once.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bytecnn::cli {

/// What a result is called: a file's name, a line's number, or the id that a JSON record brought along.
struct RecordId {
  std::string text;
  bool is_json = false;  ///< `text` is a JSON value already, e.g. a number
};

struct Record {
  RecordId id;
  std::span<const std::byte> bytes;  ///< valid until the source's next block
  std::string error;                 ///< not empty: there is no input, and this is why
};

using Block = std::vector<Record>;

/// How much of an input is needed.
struct InputLimit {
  std::size_t bytes = 0;         ///< what is kept of one input
  bool longer_is_error = false;  ///< else the rest is dropped
};

/// No input is held in memory beyond this, whoever asks.
inline constexpr std::size_t max_record_bytes = std::size_t{1} << 28U;

class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  virtual ~RecordSource() = default;

  /// Replaces `block` by the next records, at least one. False at the end: `block` is then empty.
  virtual bool next(Block& block) = 0;
};

enum class Framing : std::uint8_t { lines, whole, nul, jsonl };

/// Texts from the command line, each a record, numbered from 1.
[[nodiscard]] std::unique_ptr<RecordSource> texts_source(std::vector<std::string> texts);

/// Files as whole inputs, named by their paths; "-" is standard input.
[[nodiscard]] std::unique_ptr<RecordSource> whole_files_source(std::vector<std::string> paths, InputLimit limit);

/// One file ("-": standard input) of records that each end in `delimiter`; the last one may lack it. They are numbered
/// from 1; where `id_prefix` is not empty, ids are "PREFIX:NUMBER".
[[nodiscard]] std::unique_ptr<RecordSource> delimited_source(const std::string& path, char delimiter,
                                                             const std::string& id_prefix, InputLimit limit);

/// One file of JSON Lines; `field` (a name, or a JSON pointer that begins with '/') holds the text. An `id` in the
/// record is handed on, else records are numbered from 1.
[[nodiscard]] std::unique_ptr<RecordSource> json_lines_source(const std::string& path, const std::string& field,
                                                              const std::string& id_prefix, InputLimit limit);

/// Several sources, one after the other.
[[nodiscard]] std::unique_ptr<RecordSource> chain(std::vector<std::unique_ptr<RecordSource>> sources);

}  // namespace bytecnn::cli
