/// Writes the manual pages and the shell completions of all programs. Run by the build:
///
///     bytecnn_pages VERSION DATE FOLDER bytecnn.json [bytecnn-export.json bytecnn-verify.json]
///
/// where each JSON file is what a program says of itself.

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include "completions.hpp"
#include "description.hpp"
#include "manual_page.hpp"

namespace bytecnn::cli {
namespace {

CommandDescription read(const std::string& path) {
  std::ifstream file(path);
  const std::string json((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return command_from_json(json);
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path);
  if (!(file << text).flush()) throw std::runtime_error("cannot write " + path.string());
}

/// The commands that are programs of their own are empty in the description of `bytecnn`.
void fill_in(CommandDescription& program, const CommandDescription& companion) {
  for (CommandDescription& command : program.commands) {
    const bool is_it = command.name == companion.name;
    // `bytecnn inspect` is an option of the exporter.
    const bool is_inspect = command.name == "bytecnn inspect" && companion.name == "bytecnn export";
    if (!is_it && !is_inspect) continue;
    const CommandDescription own = command;
    command = companion;
    command.name = own.name;
    command.text = own.text;
  }
}

void write_all(const std::string& version, const std::string& date, const std::filesystem::path& folder,
               CommandDescription program) {
  ManualContext context{version, date, {}};
  for (const CommandDescription& command : program.commands) context.see_also.push_back(page_name(command));
  write(folder / "man1" / "bytecnn.1", manual_page(program, context));
  for (const CommandDescription& command : program.commands) {
    ManualContext other = context;
    std::erase(other.see_also, page_name(command));
    other.see_also.insert(other.see_also.begin(), program.name);
    write(folder / "man1" / (page_name(command) + ".1"), manual_page(command, other));
  }
  write(folder / "bash" / "bytecnn", bash_completion(program));
  write(folder / "zsh" / "_bytecnn", zsh_completion(program));
  write(folder / "fish" / "bytecnn.fish", fish_completion(program));
}

}  // namespace
}  // namespace bytecnn::cli

int main(int argc, char** argv) {
  using namespace bytecnn::cli;
  try {
    if (argc < 5) throw std::runtime_error("usage: bytecnn_pages VERSION DATE FOLDER PROGRAM.json...");
    CommandDescription program = read(argv[4]);
    for (int i = 5; i < argc; ++i) fill_in(program, read(argv[i]));
    write_all(argv[1], argv[2], argv[3], std::move(program));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bytecnn_pages: error: " << error.what() << '\n';
    return 1;
  }
}
