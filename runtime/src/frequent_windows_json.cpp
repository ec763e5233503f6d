#include "frequent_windows_json.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "hexadecimal.hpp"

namespace bytecnn {
namespace {

// Two characters a token: a byte's hexadecimal digits, or one of these.
constexpr std::string_view outside = "--";
constexpr std::string_view padding = "pp";  // where the pad token is no byte

}  // namespace

FrequentWindows read_frequent_windows(const JsonValue& object, const Architecture& architecture) {
  object.require_object();
  FrequentWindows windows;
  if (object.has("sample") && !object.at("sample").is_null()) windows.sample = object.at("sample").as_string();
  const JsonValue value = object.at("tokens");
  const std::string text = value.as_string();
  windows.tokens.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::string_view token = std::string_view(text).substr(i, 2);
    if (const auto byte = byte_of_hex(token)) {
      windows.tokens.push_back(*byte);
    } else if (token == outside) {
      windows.tokens.push_back(architecture.vocab_size);
    } else if (token == padding && architecture.pad_token) {
      windows.tokens.push_back(*architecture.pad_token);
    } else {
      value.fail("no token at character " + std::to_string(i), "two hexadecimal digits, \"--\" or \"pp\"");
    }
  }
  return windows;
}

nlohmann::ordered_json frequent_windows_to_json(const FrequentWindows& windows, const Architecture& architecture) {
  std::string text;
  for (const std::uint32_t token : windows.tokens) {
    if (token < 256) {
      append_hex(text, token);
    } else {
      text += token == architecture.vocab_size ? outside : padding;
    }
  }
  nlohmann::ordered_json object;
  if (!windows.sample.empty()) object["sample"] = windows.sample;
  object["tokens"] = text;
  return object;
}

}  // namespace bytecnn
