// Writes model files of every kind into a folder: what other tests read.

#include <cstdint>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>

#include "bytecnn/bytecnn.hpp"

#include "small_models.hpp"

int main(int argc, char** argv) {
  using namespace bytecnn;
  if (argc != 2) {
    std::cerr << "usage: runtime_sample_models FOLDER\n";
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    Model binary = testing::small_model();
    binary.info.labels = {"safe", "toxic"};
    save_model(binary, (folder / "binary.json").string());
    save_model(testing::rich_model(), (folder / "rich.json").string());
    for (std::uint32_t seed = 0; seed < 25; ++seed) {
      save_model(testing::with_random_weights(testing::random_architecture(seed), seed),
                 (folder / ("random-" + std::to_string(seed) + ".json")).string());
    }
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
