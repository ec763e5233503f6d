#include "original_loader.hpp"

#include <algorithm>
#include <utility>

#include "bytecnn/error.hpp"

#include "checkpoint/torchscript_code_scan.hpp"
#include "file_bytes.hpp"
#include "module_facts.hpp"

namespace bytecnn::exporter {
namespace {

/// Without the entries that are shown as hints anyway ("config", whose scalars are "config.max_len", ...).
std::vector<std::string> unhinted(const std::vector<std::string>& names,
                                  const std::vector<std::pair<std::string, std::string>>& hints) {
  std::vector<std::string> rest;
  for (const std::string& name : names) {
    const bool hinted = std::any_of(hints.begin(), hints.end(), [&](const auto& hint) {
      return hint.first == name || hint.first.starts_with(name + ".");
    });
    if (!hinted) rest.push_back(name);
  }
  return rest;
}

/// One line for all of `items`, of which a hostile file may have many.
void add_list(std::vector<std::string>& lines, std::string line, const std::vector<std::string>& items) {
  if (items.empty()) return;
  constexpr std::size_t shown = 8;
  for (std::size_t i = 0; i < std::min(shown, items.size()); ++i) line += (i ? ", " : "") + items[i];
  if (items.size() > shown) line += " and " + std::to_string(items.size() - shown) + " more";
  lines.push_back(std::move(line));
}

Original describe(const std::string& path, const Checkpoint& checkpoint, const ArchitectureStatement& statement,
                  const RecognitionFlags& flags, std::vector<std::string>& warnings) {
  // libtorch runs a file's code while it loads it, so the code is looked at first.
  scan_torchscript_code(checkpoint);
  Original original = torch_backend().describe_torchscript(path);
  complete_from_statement(original, statement, flags, &warnings);
  return original;
}

}  // namespace

LoadedOriginal load_original(const std::string& path, const std::string& key, const ArchitectureStatement& statement,
                             const RecognitionFlags& flags) {
  Checkpoint checkpoint = read_checkpoint_file(path, key);
  LoadedOriginal loaded;
  loaded.path = path;
  loaded.torchscript = checkpoint.container == "torchscript";
  loaded.container = checkpoint.container;
  loaded.form = checkpoint.form;
  loaded.key = checkpoint.key;
  loaded.prefix = checkpoint.prefix;
  loaded.hints = std::move(checkpoint.hints);
  for (auto& hint : class_hints(checkpoint.modules)) loaded.hints.push_back(std::move(hint));
  loaded.warnings = std::move(checkpoint.warnings);
  add_list(loaded.warnings, "not part of the model: ", unhinted(checkpoint.ignored, loaded.hints));
  add_list(loaded.warnings, "classes and functions that the file names, none of them executed: ", checkpoint.opaque);
  try {
    loaded.original = loaded.torchscript ? describe(path, checkpoint, statement, flags, loaded.warnings)
                                         : recognise(checkpoint, statement, flags, &loaded.warnings);
  } catch (const Error& error) {
    throw error.where().starts_with(path) ? error : error.at(path);
  }
  return loaded;
}

std::unique_ptr<OriginalRunner> make_runner(const LoadedOriginal& loaded) {
  return loaded.torchscript ? torch_backend().run_torchscript(loaded.path, loaded.original.architecture)
                            : torch_backend().rebuild(loaded.original);
}

ArchitectureStatement load_architecture_statement(const std::string& path) {
  // A statement is a page of text; whatever is larger is the wrong file.
  const std::string text = read_small_file(path, 1U << 20U);
  try {
    return parse_architecture_statement(text);
  } catch (const Error& error) {
    throw error.at(path);
  }
}

}  // namespace bytecnn::exporter
