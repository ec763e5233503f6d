#include "input_options.hpp"

#include <iostream>
#include <utility>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "bytecnn/error.hpp"

#include "choice_option.hpp"
#include "number_text.hpp"

namespace bytecnn::cli {

void add_input_options(CLI::App& command, InputOptions& options, const std::string& verb) {
  command.add_option("INPUT", options.paths, "files; - or nothing: standard input, one text a line")->type_name("");
  command.add_flag("-r,--recursive", options.recursive, "of a folder: every file under it, sorted by name");
  CLI::Option* follow = command.add_flag("--follow", options.follow, "with -r: also folders behind symbolic links");
  follow->needs("--recursive");
  command.add_option("--text", options.texts, verb + " this text; may be given again")
      ->allow_extra_args(false)
      ->type_name("TEXT");
  add_choice_option<Framing>(command, "--input", options.framing,
                             {{"lines", Framing::lines},
                              {"whole", Framing::whole},
                              {"nul", Framing::nul},
                              {"jsonl", Framing::jsonl},
                              {"tsv", Framing::tsv}},
                             "how inputs are told apart (a file is one input, standard input is lines)");
  command
      .add_option_function<std::string>(
          "--field",
          [&options](const std::string& field) {
            try {
              if (field.starts_with('/')) static_cast<void>(nlohmann::json::json_pointer(field));
            } catch (const nlohmann::json::exception&) {
              throw CLI::ValidationError("--field", "'" + field + "' is not a JSON pointer");
            }
            options.field = field;
            options.field_stated = true;
          },
          "of JSON Lines: the field that holds the text, or a JSON pointer to it (text)")
      ->type_name("FIELD");
}

std::unique_ptr<RecordSource> make_source(const InputOptions& options, const Reading& reading) {
  if (options.field_stated && options.framing != Framing::jsonl) {
    throw Error(ErrorCode::usage, "only records of JSON have fields: give --input jsonl as well", "--field");
  }
  std::vector<std::unique_ptr<RecordSource>> sources;
  if (!options.texts.empty()) sources.push_back(texts_source(options.texts));
  FileInputs files{options.paths, FolderPolicy::refuse, options.framing};
  if (options.recursive) files.folders = options.follow ? FolderPolicy::enter_and_follow : FolderPolicy::enter;
  if (options.none()) files.paths.emplace_back("-");
  if (!files.paths.empty()) sources.push_back(files_source(std::move(files), reading));
  return chain(std::move(sources));
}

std::optional<std::uint64_t> total_bytes(const InputOptions& options) {
  std::vector<std::string> paths = options.paths;
  if (paths.empty()) paths.emplace_back("-");
  std::uint64_t total = 0;
  for (const std::string& path : paths) {
    struct stat status {};
    const int failed = path == "-" ? ::fstat(STDIN_FILENO, &status) : ::stat(path.c_str(), &status);
    if (framing_of(path, options.framing) == Framing::whole || failed != 0 || !S_ISREG(status.st_mode)) return {};
    total += static_cast<std::uint64_t>(status.st_size);
  }
  return total;
}

void tell_where_terminal_is_read(const InputOptions& options) {
  if (options.none() && ::isatty(STDIN_FILENO) == 1) {
    std::cerr << "bytecnn: reading lines from the terminal; Ctrl-D ends\n";
  }
}

void tell_links_not_followed(const RecordSource& source) {
  const std::uint64_t links = source.links_not_followed();
  if (links == 0) return;
  std::cerr << "bytecnn: " << with_separators(links)
            << (links == 1 ? " link to a folder was" : " links to folders were") << " not followed; --follow does\n";
}

}  // namespace bytecnn::cli
