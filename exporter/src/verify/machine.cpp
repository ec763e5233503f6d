#include "verify/machine.hpp"

#include <fstream>
#include <string_view>

#include <sys/utsname.h>

namespace bytecnn::exporter {
namespace {

/// The first "model name : ..." of /proc/cpuinfo; ARM processors have none there.
std::string model_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (!line.starts_with("model name")) continue;
    const std::size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? std::string() : line.substr(value);
  }
  return {};
}

constexpr std::string_view compiler_name =
#if defined(__clang__)
    "Clang " __clang_version__;
#else
    "GCC " __VERSION__;
#endif

}  // namespace

Machine this_machine() {
  utsname system{};
  const bool known = ::uname(&system) == 0;
  Machine machine{model_name(), std::string(compiler_name), {}};
  if (known) {
    machine.system = std::string(system.sysname) + " " + system.release + " " + system.machine;
    if (machine.processor.empty()) machine.processor = system.machine;
  }
  return machine;
}

}  // namespace bytecnn::exporter
