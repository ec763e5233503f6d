#include <algorithm>
#include <string_view>

#include "verify/corpus.hpp"
#include "verify/verify.hpp"

namespace bytecnn::exporter {

std::vector<Golden> golden_vectors(const Architecture& architecture, OriginalRunner& runner) {
  std::vector<Bytes> inputs;
  const auto add = [&](Bytes bytes) {
    if (std::find(inputs.begin(), inputs.end(), bytes) == inputs.end()) inputs.push_back(std::move(bytes));
  };
  const auto text = [](std::string_view characters) {
    const auto* data = reinterpret_cast<const std::byte*>(characters.data());  // NOLINT: characters are bytes
    return Bytes(data, data + characters.size());
  };
  Bytes every_byte(256);
  for (std::size_t i = 0; i < every_byte.size(); ++i) every_byte[i] = static_cast<std::byte>(i);

  add({});
  add(text("Hello"));
  add(text("The quick brown fox jumps over the lazy dog."));
  add(
      text("\xC3\x9C"
           "ber \xF0\x9F\xA6\x8A \xFF\xFE"));
  add(every_byte);
  // Filled to the last position and one byte beyond; a file of megabytes is no place for it.
  constexpr std::size_t longest = 2048;
  if (architecture.max_len < longest) {
    Bytes beyond(architecture.max_len + 1);
    for (std::size_t i = 0; i < beyond.size(); ++i) beyond[i] = static_cast<std::byte>((i * 37 + i / 7 * 11) & 0xFFU);
    add(std::move(beyond));
  }
  std::vector<Golden> vectors;
  for (auto& input : inputs) {
    if (input.size() < shortest_input(architecture)) continue;
    auto logits = runner.logits(input);
    vectors.push_back({std::move(input), std::move(logits)});
  }
  return vectors;
}

}  // namespace bytecnn::exporter
