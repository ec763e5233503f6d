#include "inspect.hpp"

#include <iostream>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

#include "findings.hpp"
#include "layer_inventory.hpp"
#include "module_facts.hpp"
#include "original_loader.hpp"
#include "search/search_report.hpp"
#include "search_run.hpp"
#include "verify/recorded_reference.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

/// What an export would make of the file: rows, or the reason for refusing it.
struct Verdict {
  std::vector<Finding> rows;
  std::vector<std::string> warnings;
  std::string code, reason;
  std::optional<SearchResult> search;
};

Verdict judge(const ExportOptions& options) {
  Verdict verdict;
  try {
    ArchitectureStatement statement;
    if (!options.architecture_file.empty()) statement = load_architecture_statement(options.architecture_file);
    LoadedOriginal loaded = load_original(options.checkpoint, options.key, statement, options.flags);
    if (options.search) {
      const RecordedReference reference = load_reference(options.reference_file);
      verdict.search = search_with_progress(loaded, reference, options);
      if (verdict.search->fits.size() == 1) adopt(*verdict.search, loaded.original);
    }
    verdict.rows = findings(loaded.original);
    verdict.warnings = std::move(loaded.warnings);
    static_cast<void>(fold(loaded.original));  // numbers beyond float32 are a reason as well
  } catch (const Error& error) {
    verdict.code = to_string(error.code());
    verdict.reason = error.what();
  }
  return verdict;
}

std::string type_of(const NamedTensor& entry) {
  return entry.unreadable.empty() ? std::string(to_string(entry.tensor.dtype)) : "unreadable: " + entry.unreadable;
}

Json as_json(const ExportOptions& options, const Checkpoint& checkpoint, const Verdict& verdict) {
  Json json = {
      {"file", options.checkpoint},    {"container", checkpoint.container}, {"form", checkpoint.form},
      {"key", checkpoint.key},         {"prefix", checkpoint.prefix},       {"candidates", checkpoint.candidates},
      {"tensors", Json::array()},      {"modules", Json::array()},          {"hints", Json::object()},
      {"ignored", checkpoint.ignored}, {"not_executed", checkpoint.opaque}, {"warnings", checkpoint.warnings}};
  for (const NamedTensor& entry : checkpoint.tensors) {
    Json row = {{"name", entry.name}};
    if (entry.unreadable.empty()) {
      row["shape"] = entry.tensor.shape;
      row["dtype"] = to_string(entry.tensor.dtype);
    } else {
      row["unreadable"] = entry.unreadable;
    }
    json["tensors"].push_back(std::move(row));
  }
  for (const Module& module : checkpoint.modules) {
    Json row = {{"path", module.path}, {"class", module.class_name}, {"attributes", Json::object()}};
    for (const auto& [name, value] : module.attributes) row["attributes"][name] = value;
    json["modules"].push_back(std::move(row));
  }
  for (const auto& [name, value] : checkpoint.hints) json["hints"][name] = value;
  if (verdict.reason.empty()) {
    json["export"] = {{"possible", true}, {"architecture", Json::array()}, {"notes", verdict.warnings}};
    for (const Finding& row : verdict.rows) {
      json["export"]["architecture"].push_back({{"key", row.key}, {"value", row.value}, {"source", row.source}});
    }
  } else {
    json["export"] = {{"possible", false}, {"code", verdict.code}, {"reason", verdict.reason}};
  }
  if (verdict.search) json["search"] = Json::parse(to_json(*verdict.search));
  return json;
}

void list(const char* title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  std::cout << title << "\n";
  for (const std::string& item : items) std::cout << "  " << item << "\n";
}

void print(const ExportOptions& options, const Checkpoint& checkpoint, const Verdict& verdict) {
  std::cout << options.checkpoint << "\n"
            << to_text({{"container", checkpoint.container, ""},
                        {"form", checkpoint.form, ""},
                        {"key", checkpoint.key.empty() ? "(top)" : checkpoint.key, ""},
                        {"prefix", checkpoint.prefix.empty() ? "(none)" : checkpoint.prefix, ""}});
  if (checkpoint.candidates.size() > 1) list("state dicts", checkpoint.candidates);
  std::vector<Finding> tensors;
  for (const NamedTensor& entry : checkpoint.tensors) {
    tensors.push_back({entry.name, shape_text(entry.tensor.shape), type_of(entry)});
  }
  std::cout << "tensors\n" << to_text(tensors);
  std::vector<std::string> modules;
  for (const Module& module : checkpoint.modules) {
    std::string line = (module.path.empty() ? "(root)" : module.path) + "  " + module.class_name;
    for (const auto& [name, value] : module.attributes) {
      if (name != "training") line += "  " + name + "=" + value;
    }
    modules.push_back(std::move(line));
  }
  list("modules", modules);
  std::vector<Finding> hints;
  for (const auto& [name, value] : checkpoint.hints) hints.push_back({name, value, ""});
  if (!hints.empty()) std::cout << "hints (shown, never used)\n" << to_text(hints);
  list("not part of the model", checkpoint.ignored);
  list("named, not executed", checkpoint.opaque);
  if (verdict.search) std::cout << to_text(*verdict.search);
  if (verdict.reason.empty()) {
    std::cout << "would be exported as\n" << to_text(verdict.rows);
    list("notes", verdict.warnings);
  } else {
    list("notes", checkpoint.warnings);
    std::cout << "would be refused (" << verdict.code << ")\n  " << verdict.reason << "\n";
  }
}

}  // namespace

int inspect(const ExportOptions& options) {
  Checkpoint checkpoint = read_checkpoint_file(options.checkpoint, options.key);
  for (auto& hint : class_hints(checkpoint.modules)) checkpoint.hints.push_back(std::move(hint));
  const Verdict verdict = judge(options);
  if (options.inspect_json) {
    std::cout << as_json(options, checkpoint, verdict).dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else {
    print(options, checkpoint, verdict);
  }
  if (!std::cout.flush()) throw Error(ErrorCode::io, "cannot write to standard output");
  return 0;
}

}  // namespace bytecnn::exporter
