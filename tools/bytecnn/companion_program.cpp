#include "companion_program.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

namespace bytecnn::cli {

std::span<const Companion> companions() noexcept {
  static constexpr std::array<Companion, 3> all{{
      {"export", "bytecnn-export", "", "bytecnn-tools",
       "turn a PyTorch checkpoint into a model file (JSON, Python, C++)"},
      {"verify", "bytecnn-verify", "", "bytecnn-verify", "prove an exported model equal to its checkpoint"},
      {"inspect", "bytecnn-export", "--inspect", "bytecnn-tools", "show what a PyTorch checkpoint holds"},
  }};
  return all;
}

ExitStatus run_companion(const Companion& companion, char* const* arguments) {
  const std::string name(companion.program);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    std::cerr << "bytecnn: error: cannot find this program's own place, which is where " << name
              << " is looked for: /proc/self/exe: " << error.message() << '\n';
    return ExitStatus::unsupported;
  }
  const std::string path = (self.parent_path() / name).string();
  std::string own_name = name;
  std::string first(companion.argument);
  std::vector<char*> argv{own_name.data()};
  if (!first.empty()) argv.push_back(first.data());
  for (char* const* argument = arguments; *argument != nullptr; ++argument) argv.push_back(*argument);
  argv.push_back(nullptr);

  // An ignored signal would stay ignored in the new program, which has not asked for that.
  std::signal(SIGPIPE, SIG_DFL);
  ::execv(path.c_str(), argv.data());
  const int reason = errno;
  std::cerr << "bytecnn: error: '" << companion.command << "' needs the program " << name << ", ";
  if (reason == ENOENT) {
    std::cerr << "which is not installed: " << path << " is not there. It is in the Debian package "
              << companion.package << ", and in a build from source with libtorch: configure with "
              << "-DBYTECNN_BUILD_EXPORTER=ON, or run tools/quickstart\n";
  } else {
    std::cerr << "which cannot be started: " << path << ": " << std::generic_category().message(reason) << '\n';
  }
  return ExitStatus::unsupported;
}

}  // namespace bytecnn::cli
