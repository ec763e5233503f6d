#pragma once
/// The inputs of a command line: files, folders, texts, and how records are told apart in them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "record_source.hpp"

namespace bytecnn::cli {

struct InputOptions {
  std::vector<std::string> paths;
  std::vector<std::string> texts;
  std::optional<Framing> framing;
  std::string field = "text";
  bool field_stated = false;
  bool recursive = false;
  bool follow = false;

  /// Nothing was named, so that standard input is read.
  [[nodiscard]] bool none() const noexcept { return paths.empty() && texts.empty(); }
  /// What stands around a text may be long where the text itself is not.
  [[nodiscard]] bool embedded() const noexcept { return framing == Framing::jsonl || framing == Framing::tsv; }
};

/// `-r`, `--follow`, `--text`, `--input` and `--field`, the same for every command; `verb` as in "classify this text".
void add_input_options(CLI::App& command, InputOptions& options, const std::string& verb);

/// All inputs, in order. Throws `Error` (usage) where a field was stated of records that have none.
[[nodiscard]] std::unique_ptr<RecordSource> make_source(const InputOptions& options, const Reading& reading);

/// Bytes that there are to read, where all inputs are files of records; else nothing.
[[nodiscard]] std::optional<std::uint64_t> total_bytes(const InputOptions& options);

/// Tells a person who started the command without inputs what it waits for.
void tell_where_terminal_is_read(const InputOptions& options);
/// Tells how many links to folders were not followed, where there were any.
void tell_links_not_followed(const RecordSource& source);

}  // namespace bytecnn::cli
