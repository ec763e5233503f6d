// Writes the C++ export of every sample model; the build compiles them into write_cpp_test.
// Usage: write_sample_headers FOLDER

#include <fstream>
#include <iostream>
#include <string>

#include "sample_models.hpp"
#include "write_cpp.hpp"

int main(int argc, char** argv) {
  using namespace bytecnn::exporter;
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  std::ofstream all(folder + "/sample_headers.hpp");
  all << "#pragma once\n";
  int number = 0;
  std::string calls;
  for (const testing::Sample& sample : testing::sample_models()) {
    const std::string name = "sample" + std::to_string(number++) + ".hpp";
    std::ofstream(folder + "/" + name, std::ios::binary) << to_cpp(sample.model, sample.stem);
    all << "#include \"" << name << "\"\n";
    calls += "::" + cpp_namespace(sample.stem) + "::model(),\n";
  }
  all << "inline std::vector<::bytecnn::Model> models_of_headers() { return {" << calls << "}; }\n";
  return all.flush() ? 0 : 1;
}
