// The promise of 1e-5 S on logits, at any length of run: one-, two- and three-layer models on every instruction set
// against the double reference, over all lengths, constant texts of every byte, pieces of real files and random bytes.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bytecnn/bytecnn.hpp"

#include "random_model.hpp"

namespace {

using namespace bytecnn;
using testing::Bytes;

constexpr double tolerance = 1e-5;
constexpr std::uint32_t max_len = 512;

struct Conv {
  std::uint32_t filters, kernel_size;
};

Architecture architecture_of(std::uint32_t embed_dim, const std::vector<Conv>& layers, std::uint32_t units) {
  Architecture a;
  a.embed_dim = embed_dim;
  for (const auto& [filters, kernel_size] : layers) {
    ConvLayer layer;
    layer.filters = filters;
    layer.kernel_size = kernel_size;
    layer.pad_left = layer.reach() / 2;
    layer.pad_right = layer.reach() - layer.pad_left;
    layer.activation = {Activation::Kind::relu};
    a.conv_layers.push_back(layer);
  }
  a.dense_layers = {{units, {Activation::Kind::relu}}};
  a.outputs = 1;
  a.output = Output::sigmoid;
  a.max_len = max_len;
  return a;
}

class Inputs {
 public:
  explicit Inputs(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      std::ifstream stream(file, std::ios::binary);
      if (!stream) throw std::runtime_error("cannot read " + file);
      text_.append(std::istreambuf_iterator<char>(stream), {});
    }
  }

  /// All lengths, then every byte's constant texts, then pieces of the files and random bytes in turn.
  Bytes at(std::size_t index) {
    if (index <= max_len + 1) return random(index, 256);
    index -= max_len + 2;
    constexpr std::array<std::size_t, 4> lengths = {1, 40, max_len, max_len + 1};
    if (index < 256 * lengths.size()) return Bytes(lengths[index % 4], static_cast<std::byte>(index / 4));
    const std::size_t length = engine_() % 4 == 0 ? engine_() % (max_len + 2) : engine_() % 120;
    if (index % 4 == 0) return random(length, 256);
    if (index % 4 == 1 || text_.size() <= length) return random(length, 1 + static_cast<unsigned>(engine_() % 256));
    return testing::bytes_of(std::string_view(text_).substr(engine_() % (text_.size() - length), length));
  }
  static constexpr std::size_t fixed_inputs = max_len + 2 + std::size_t{4} * 256;

 private:
  Bytes random(std::size_t length, unsigned values) {
    Bytes bytes(length);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine_() % values);
    return bytes;
  }

  std::mt19937 engine_{1};
  std::string text_;
};

struct Worst {
  double error = 0, total = 0;
  std::size_t index = 0, length = 0;
};

/// True where every path keeps the promise.
bool measure(const std::string& name, const Architecture& architecture, std::size_t count,
             const std::vector<std::string>& files) {
  const Model model = testing::with_random_weights(architecture, 11);
  std::vector<Classifier> paths;
  std::vector<std::string> names;
  for (const Isa isa : supported_isas()) {
    if (isa == Isa::reference) continue;
    paths.emplace_back(model, isa);
    names.emplace_back(to_string(isa));
    if (architecture.conv_layers.size() > 1) continue;
    paths.emplace_back(model, ClassifierOptions{isa, Arithmetic::int32});
    names.push_back(names.back() + " int32");
  }
  std::vector<Worst> worst(paths.size());
  Inputs inputs(files);
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes input = inputs.at(i);
    const std::vector<double> exact = reference_logits(model, input);
    for (std::size_t p = 0; p < paths.size(); ++p) {
      float logit = 0;
      paths[p].classify(std::span<const std::byte>(input), std::span<float>(&logit, 1));
      const double error = std::abs(static_cast<double>(logit) - exact[0]) / std::max(1.0, std::abs(exact[0]));
      worst[p].total += error;
      if (!(error <= worst[p].error)) {
        worst[p].error = error;
        worst[p].index = i;
        worst[p].length = input.size();
      }
    }
  }
  bool kept = true;
  for (std::size_t p = 0; p < paths.size(); ++p) {
    kept = kept && worst[p].error <= tolerance;
    std::cout << name << ", " << names[p] << ": worst " << worst[p].error << " of S (input " << worst[p].index << ", "
              << worst[p].length << " bytes), mean " << worst[p].total / static_cast<double>(count) << ", " << count
              << " inputs\n";
  }
  return kept;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: runtime_accuracy INPUTS [FILE...]   (the first " << Inputs::fixed_inputs
              << " inputs are all lengths and constant texts)\n";
    return 2;
  }
  try {
    const std::size_t count = std::strtoull(argv[1], nullptr, 10);
    const std::vector<std::string> files(argv + 2, argv + argc);
    const bool one = measure("1 layer", architecture_of(12, {{40, 3}}, 128), count, files);
    const bool two = measure("2 layers", architecture_of(14, {{28, 3}, {24, 3}}, 48), count, files);
    const bool three = measure("3 layers", architecture_of(14, {{28, 3}, {28, 5}, {24, 3}}, 48), count, files);
    return one && two && three ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
