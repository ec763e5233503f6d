#pragma once
/// Completions of `bytecnn` and its commands for three shells, each as the file that the shell loads.

#include <string>

#include "description.hpp"

namespace bytecnn::cli {

/// `program` holds all commands, also those that are programs of their own.
[[nodiscard]] std::string bash_completion(const CommandDescription& program);
[[nodiscard]] std::string zsh_completion(const CommandDescription& program);
[[nodiscard]] std::string fish_completion(const CommandDescription& program);

}  // namespace bytecnn::cli
