/// bytecnn: classify, explain, info, check, bench and tune; export, verify and inspect start the programs beside this
/// one.

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "bytecnn/version.hpp"

#include "choice_option.hpp"
#include "command_line/description.hpp"
#include "command_line/nearest_name.hpp"
#include "commands.hpp"
#include "companion_program.hpp"
#include "large_pages.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {

void add_color_option(CLI::App& command, ColorChoice& color) {
  add_choice_option<ColorChoice>(
      command, "--color", color,
      {{"auto", ColorChoice::automatic}, {"always", ColorChoice::always}, {"never", ColorChoice::never}},
      "colours: auto, on a terminal and where NO_COLOR is not set");
}

namespace {

constexpr const char* examples = R"(
Examples:
  bytecnn export checkpoint.pth --labels safe,toxic     a checkpoint becomes checkpoint.json, verified
  bytecnn classify checkpoint.json --text "some text"   label and score
  bytecnn explain checkpoint.json mail.eml              which bytes decided, in colour
  bytecnn info checkpoint.json                          what the model is made of
  bytecnn bench checkpoint.json                         how fast it is on this machine
  bytecnn check checkpoint.json                         does this machine compute what PyTorch computed?

'bytecnn COMMAND --help' tells more. Exit status: 0 done, 1 finished but something failed, 2 usage,
3 unreadable or invalid model or checkpoint, 4 unsupported.)";

/// Messages quote files and arguments, which may hold anything.
ExitStatus report(const std::string& message, ExitStatus status) {
  std::cerr << "bytecnn: error: " << printable(message, std::numeric_limits<std::size_t>::max()) << '\n';
  return status;
}

/// A program started with a standard descriptor closed would write its results into the first file that it opens.
void occupy_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) < 0) {  // NOLINT(cppcoreguidelines-pro-type-vararg): POSIX
      // Read-only for all three: what is written there fails and is noticed.
      if (::open("/dev/null", O_RDONLY) < 0) return;  // NOLINT(cppcoreguidelines-pro-type-vararg): POSIX
    }
  }
}

/// The name in front of the options, where it is no command.
bool is_unknown_command(const CLI::App& app, std::string_view name) {
  const auto has_name = [name](const CLI::App* command) { return command->get_name() == name; };
  return !name.starts_with('-') && app.get_subcommands(has_name).empty();
}

ExitStatus parse_and_run(CLI::App& app, int argc, char** argv, const Action& action) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    app.exit(success, std::cout, std::cerr);
    std::cout.flush();
    return ExitStatus::done;
  } catch (const CLI::ParseError& error) {
    return report(usage_message(app, error, argc, argv), ExitStatus::usage);
  }
  prefer_large_pages();
  return action();
}

ExitStatus run(int argc, char** argv) {
  CLI::App app("Classifies bytes with byte-level CNNs exported from PyTorch.", "bytecnn");
  app.set_version_flag("--version", "bytecnn " BYTECNN_VERSION);
  app.footer(examples);
  app.require_subcommand(1);
  Action action;
  add_classify_command(app, action);
  add_info_command(app, action);
  add_check_command(app, action);
  add_explain_command(app, action);
  add_bench_command(app, action);
  add_tune_command(app, action);
  for (const Companion& companion : companions()) {
    app.add_subcommand(std::string(companion.command), std::string(companion.description));
  }

  if (argc < 2) {
    std::cerr << app.help();
    return ExitStatus::usage;
  }
  if (describe_where_asked(app, argc, argv, std::cout)) return ExitStatus::done;
  const std::string_view name = argv[1];
  for (const Companion& companion : companions()) {
    if (companion.command == name) return run_companion(companion, argv + 2);
  }
  if (is_unknown_command(app, name)) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
    return report(
        "there is no command '" + std::string(name) + "'" + suggestion(name, names) + "; see 'bytecnn --help'",
        ExitStatus::usage);
  }
  return parse_and_run(app, argc, argv, action);
}

}  // namespace
}  // namespace bytecnn::cli

int main(int argc, char** argv) {
  using bytecnn::cli::ExitStatus;
  ExitStatus status = ExitStatus::failed;
  try {
    bytecnn::cli::occupy_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);  // a write to a closed pipe then fails, which is noticed and ends the work in order
    status = bytecnn::cli::run(argc, argv);
  } catch (const bytecnn::cli::ClosedPipe&) {
    status = ExitStatus::done;
  } catch (const bytecnn::Error& error) {
    status = bytecnn::cli::report(error.what(), bytecnn::cli::exit_status_of(error.code()));
  } catch (const std::bad_alloc&) {
    status = bytecnn::cli::report("not enough memory", ExitStatus::failed);
  } catch (const std::exception& error) {
    status = bytecnn::cli::report(error.what(), ExitStatus::failed);
  }
  return static_cast<int>(status);
}
