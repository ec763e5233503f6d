#pragma once
/// The commands of `bytecnn`, one file each. Each adds its options to the command line; parsing sets `action` to the
/// work of the command that was named.

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "exit_status.hpp"
#include "terminal.hpp"

namespace bytecnn::cli {

using Action = std::function<ExitStatus()>;

void add_classify_command(CLI::App& app, Action& action);
void add_info_command(CLI::App& app, Action& action);
void add_check_command(CLI::App& app, Action& action);
void add_explain_command(CLI::App& app, Action& action);
void add_bench_command(CLI::App& app, Action& action);
void add_tune_command(CLI::App& app, Action& action);

/// The option `--color auto|always|never`, the same for every command.
void add_color_option(CLI::App& command, ColorChoice& color);

}  // namespace bytecnn::cli
