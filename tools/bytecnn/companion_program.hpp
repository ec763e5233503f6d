#pragma once
/// What reads checkpoints and needs libtorch are programs of their own, so that classifying never pays for loading
/// them. `bytecnn export ...` becomes `bytecnn-export ...`, found beside this very program.

#include <span>
#include <string_view>

#include "exit_status.hpp"

namespace bytecnn::cli {

struct Companion {
  std::string_view command;      ///< "export"
  std::string_view program;      ///< "bytecnn-export"
  std::string_view argument;     ///< put before the others, where it is not empty
  std::string_view package;      ///< the Debian package that it is in
  std::string_view description;  ///< for `bytecnn --help`
};

/// The commands that are programs of their own.
[[nodiscard]] std::span<const Companion> companions() noexcept;

/// Replaces this process by the companion with `arguments` (as in argv, null-terminated), unparsed. Returns only where
/// that failed, after saying why on standard error.
[[nodiscard]] ExitStatus run_companion(const Companion& companion, char* const* arguments);

}  // namespace bytecnn::cli
