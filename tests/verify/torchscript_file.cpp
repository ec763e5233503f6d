#include "torchscript_file.hpp"

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <torch/csrc/jit/api/module.h>
#include <unistd.h>

namespace bytecnn::exporter::testing {

namespace {

at::Tensor numbers(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::uint64_t state = 1469598103934665603ULL;
  for (const char c : name) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kFloat));
  auto* data = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    data[i] = static_cast<float>(static_cast<double>(state >> 40U) / (1U << 23U) - 1);  // [-1, 1)
    if (name == "v") data[i] = 1.1F + data[i];
  }
  return tensor;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  static int count = 0;
  path_ = std::filesystem::temp_directory_path() /
          ("bytecnn-verify-" + std::to_string(::getpid()) + "-" + std::to_string(count++));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void save_torchscript(const std::string& path, const std::string& forward, bool frozen, const std::string& arguments) {
  torch::jit::Module module("Net");
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> weights{
      {"e", {256, 4}}, {"w1", {6, 4, 3}}, {"b1", {6}}, {"w2", {6, 6, 3}}, {"b2", {6}}, {"g", {6}},
      {"b", {6}},      {"m", {6}},        {"v", {6}},  {"fw", {5, 6}},    {"fb", {5}}, {"cw", {5, 12}},
      {"sw", {5, 18}}, {"ow", {1, 5}},    {"ob", {1}}, {"tw", {3, 5}},    {"tb", {3}}};
  for (const auto& [name, shape] : weights) module.register_parameter(name, numbers(name, shape), false);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define("def forward(self, " + arguments + "):\n" + forward);
  if (frozen) {
    module.eval();
    module = torch::jit::freeze(module);
  }
  module.save(path);
}

}  // namespace bytecnn::exporter::testing
