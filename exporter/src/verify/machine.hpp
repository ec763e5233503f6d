#pragma once
/// What ran a verification: named in certificates, since another processor or compiler may round otherwise.

#include <string>

namespace bytecnn::exporter {

struct Machine {
  std::string processor;  ///< "AMD EPYC 9R14", as the system names it; its kind where it has no name
  std::string compiler;   ///< that built this program: "GCC 12.2.0"
  std::string system;     ///< "Linux 6.1.0 x86_64"
};

[[nodiscard]] Machine this_machine();

}  // namespace bytecnn::exporter
