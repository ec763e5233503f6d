#pragma once
/// What a program's command line is made of, taken from the very definitions that parse it. Manual pages and shell
/// completions are written from this, so they cannot tell anything else.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace bytecnn::cli {

struct OptionDescription {
  std::vector<std::string> names;    ///< "-r", "--recursive"; of a positional argument its one name
  std::string value;                 ///< "FILE", "lines|whole"; empty for a flag
  std::vector<std::string> choices;  ///< where the value is one of a few words
  std::string text;
  bool positional = false;
  bool required = false;
  bool repeated = false;  ///< a positional argument that takes many
  [[nodiscard]] bool takes_file() const;
};

struct CommandDescription {
  std::string name;  ///< "bytecnn classify"
  std::string text;
  std::string footer;  ///< examples and more, as the help shows them
  std::vector<OptionDescription> options;
  std::vector<CommandDescription> commands;
};

/// `name`: what the command is called on the command line.
[[nodiscard]] CommandDescription describe(const CLI::App& app, const std::string& name);

/// As one JSON value, and back. Throws std::runtime_error on anything else.
[[nodiscard]] std::string to_json(const CommandDescription& command);
[[nodiscard]] CommandDescription command_from_json(std::string_view json);

/// The one argument with which each program describes itself instead of working; the build alone uses it.
inline constexpr std::string_view describe_argument = "--describe-command-line";
/// Whether it was given; then the description is written to `output`.
bool describe_where_asked(const CLI::App& app, int argc, const char* const* argv, std::ostream& output);

/// What is wrong, which option may have been meant, and where help is.
[[nodiscard]] std::string usage_message(const CLI::App& app, const CLI::ParseError& error, int argc,
                                        const char* const* argv);

}  // namespace bytecnn::cli
