#include "atomic_file.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#include "bytecnn/error.hpp"

namespace bytecnn {

void write_file_atomically(const std::string& path, std::string_view content) {
  static std::atomic<unsigned> counter{0};
  const std::string temporary =
      path + ".tmp-" + std::to_string(std::random_device{}()) + "-" + std::to_string(counter++);
  const auto fail = [&](const char* what) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw Error(ErrorCode::io, what, path);
  };
  {
    std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
    if (!file) fail("cannot create a file in this folder");
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
    file.flush();
    if (!file) fail("cannot write the file (is the disk full?)");
  }
  std::error_code error;
  std::filesystem::rename(temporary, path, error);
  if (error) fail("cannot rename the finished file to its name");
}

}  // namespace bytecnn
