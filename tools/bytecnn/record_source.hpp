#pragma once
/// Where inputs come from. A source hands out blocks of records: as many as are at hand, never more than fit a fixed
/// amount of memory, so that a stream of any length passes through and an interactive reader is answered at once.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "block.hpp"
#include "path_walk.hpp"

namespace bytecnn::cli {

/// How much of an input is needed.
struct InputLimit {
  std::size_t bytes = 0;         ///< what is kept of one input
  bool longer_is_error = false;  ///< else the rest is dropped
};

/// No input is held in memory beyond this, whoever asks.
inline constexpr std::size_t max_record_bytes = std::size_t{1} << 28U;

/// How much a block holds.
struct BlockSize {
  std::size_t records = 0;
  std::size_t files = 0;
  std::size_t read_bytes = 0;  ///< of records that are split: what is read at once
};

struct Reading {
  InputLimit limit;
  BlockSize size;
  std::atomic<std::uint64_t>& bytes_read;  ///< counts, for a progress display, what files of records gave
};

enum class Framing : std::uint8_t { lines, whole, nul, jsonl, tsv };

class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  virtual ~RecordSource() = default;

  /// Replaces `block` by the next records, at least one. False at the end: `block` is then empty.
  virtual bool next(Block& block) = 0;

  /// Links to folders that were passed over.
  [[nodiscard]] virtual std::uint64_t links_not_followed() const { return 0; }
};

/// Texts from the command line, each a record, numbered from 1.
[[nodiscard]] std::unique_ptr<RecordSource> texts_source(std::vector<std::string> texts);

/// One file ("-": standard input) of records that each end in a delimiter; the last one may lack it. They are numbered
/// from 1; where `name_prefix` is not empty, they are called "PREFIX:NUMBER". `framing` is not `whole`.
[[nodiscard]] std::unique_ptr<RecordSource> delimited_source(const std::string& path, Framing framing,
                                                             const std::string& name_prefix, const Reading& reading);

/// The files and folders of a command line, in order. Without a `framing` standard input is lines and a named file one
/// input. Files are opened when their turn comes.
struct FileInputs {
  std::vector<std::string> paths;
  FolderPolicy folders = FolderPolicy::refuse;
  std::optional<Framing> framing;
};
[[nodiscard]] std::unique_ptr<RecordSource> files_source(FileInputs inputs, const Reading& reading);

/// Several sources, one after the other.
[[nodiscard]] std::unique_ptr<RecordSource> chain(std::vector<std::unique_ptr<RecordSource>> sources);

/// Standard input is lines unless said otherwise, a named file is one input.
[[nodiscard]] inline Framing framing_of(const std::string& path, std::optional<Framing> stated) {
  return stated.value_or(path == "-" ? Framing::lines : Framing::whole);
}

}  // namespace bytecnn::cli
