/// Runs the fuzz target over a corpus, and over mutations of it, without libFuzzer: any compiler, under CTest.
///
/// usage: fuzz_replay [--mutations N] PATH...      files, or folders of files

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

Input load(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The usual: flipped bits, interesting bytes, deletions, repetitions, cuts.
Input mutate(Input input, std::mt19937_64& random) {
  static constexpr std::uint8_t interesting[] = {0,   1,   2,   0x7f, 0x80, 0xff, '.', '(',
                                                 'R', 'b', 'Q', 'q',  'h',  't',  '}', ']'};
  const std::size_t changes = 1 + random() % 8;
  for (std::size_t i = 0; i < changes && input.size() > 1; ++i) {
    const std::size_t at = 1 + random() % (input.size() - 1);
    const auto place = input.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t length = std::min<std::size_t>(1 + random() % 16, input.size() - at);
    switch (random() % 6) {
      case 0:
        *place = static_cast<std::uint8_t>(*place ^ (1U << (random() % 8)));
        break;
      case 1:
        *place = interesting[random() % std::size(interesting)];
        break;
      case 2:
        input.erase(place, place + static_cast<std::ptrdiff_t>(length));
        break;
      case 3: {
        const Input copy(place, place + static_cast<std::ptrdiff_t>(length));
        input.insert(place, copy.begin(), copy.end());
        break;
      }
      case 4:
        input.resize(at);
        break;
      default:
        *place = static_cast<std::uint8_t>(random());
        break;
    }
  }
  return input;
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t mutations = 0;
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--mutations" && i + 1 < count) {
      mutations = static_cast<std::size_t>(std::strtoul(arguments[++i], nullptr, 10));
    } else if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else {
      files.emplace_back(argument);
    }
  }
  std::sort(files.begin(), files.end());
  std::mt19937_64 random(1);
  std::size_t runs = 0;
  for (const std::filesystem::path& path : files) {
    const Input input = load(path);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    ++runs;
    for (std::size_t i = 0; i < mutations; ++i, ++runs) {
      const Input changed = mutate(input, random);
      LLVMFuzzerTestOneInput(changed.data(), changed.size());
    }
  }
  std::printf("%zu files, %zu runs\n", files.size(), runs);
  if (files.empty()) {
    std::fprintf(stderr, "no corpus\n");
    return 1;
  }
  return 0;
}
