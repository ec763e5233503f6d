#pragma once
/// TorchScript files made from source, in libtorch, for the tests.

#include <filesystem>
#include <string>
#include <string_view>

namespace bytecnn::exporter::testing {

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// Compiles `forward` (the body of `def forward(self, x)`, indented by two) into a module and saves it to `path`. The
/// module has these weights, with numbers that depend on nothing but their names:
///   self.e [256, 4]; self.w1 [6, 4, 3], self.b1 [6]; self.w2 [6, 6, 3], self.b2 [6]; self.g [6], self.b [6],
///   self.m [6], self.v [6] (batch norm); self.fw [5, 6], self.fb [5]; self.cw [5, 12], self.sw [5, 18];
///   self.ow [1, 5], self.ob [1]; self.tw [3, 5], self.tb [3]
void save_torchscript(const std::string& path, const std::string& forward, bool frozen = false,
                      const std::string& arguments = "x");

}  // namespace bytecnn::exporter::testing
