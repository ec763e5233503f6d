#include "certificate/model_fingerprint.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <span>

#include <nlohmann/json.hpp>

#include "certificate/sha256.hpp"

namespace bytecnn {
namespace {

std::vector<std::byte> little_endian(std::span<const float> numbers) {
  std::vector<std::byte> bytes;
  bytes.reserve(4 * numbers.size());
  for (const float number : numbers) {
    const auto bits = std::bit_cast<std::uint32_t>(number == 0 ? 0.0F : number);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<std::byte>(bits >> shift & 0xFFU));
  }
  return bytes;
}

ArrayFingerprint fingerprint_of(std::string name, std::span<const float> numbers, std::vector<std::size_t> shape) {
  constexpr std::size_t digits_a_row = 8;
  const std::vector<std::byte> bytes = little_endian(numbers);
  ArrayFingerprint array{std::move(name), std::move(shape), sha256(bytes), {}};
  const std::size_t row = bytes.size() / std::max<std::size_t>(array.shape.front(), 1);
  for (std::size_t i = 0; i < array.shape.front(); ++i) {
    array.rows.push_back(sha256(std::span(bytes).subspan(i * row, row)).substr(0, digits_a_row));
  }
  return array;
}

void add_dense(std::vector<ArrayFingerprint>& arrays, const std::string& name, const DenseWeights& dense) {
  const std::size_t units = dense.bias.size();
  arrays.push_back(fingerprint_of(name + "_weight", dense.weight, {units, dense.weight.size() / units}));
  arrays.push_back(fingerprint_of(name + "_bias", dense.bias, {units}));
}

std::string shown(double number) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

std::string shape_text(const std::vector<std::size_t>& shape) {
  std::string text;
  for (const std::size_t size : shape) text += (text.empty() ? "[" : ", ") + std::to_string(size);
  return text + "]";
}

/// Nothing where the two are the same.
std::string array_difference(const ArrayFingerprint& certified, const ArrayFingerprint& found) {
  if (certified.shape != found.shape) {
    return certified.name + " has the shape " + shape_text(found.shape) + " instead of " + shape_text(certified.shape);
  }
  if (certified.sha256 == found.sha256) return {};
  const std::size_t rows = std::min(certified.rows.size(), found.rows.size());
  std::size_t differing = 0;
  std::size_t first = rows;
  for (std::size_t i = rows; i-- > 0;) {
    if (certified.rows[i] == found.rows[i]) continue;
    ++differing;
    first = i;
  }
  if (differing == 0) return certified.name + " holds other numbers";
  return certified.name + "[" + std::to_string(first) + "] holds " +
         (certified.shape.size() == 1 ? "another number (" : "other numbers (") + std::to_string(differing) + " of " +
         std::to_string(rows) + " rows differ)";
}

}  // namespace

ModelFingerprint fingerprint(const Model& model) {
  const Architecture& architecture = model.architecture;
  ModelFingerprint print{architecture_facts(architecture), {}};
  print.facts.push_back(
      {"labels", nlohmann::json(model.info.labels).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
  print.facts.push_back({"threshold", model.info.threshold ? shown(*model.info.threshold) : "none"});
  const std::size_t vocabulary = architecture.vocab_size;
  print.arrays.push_back(fingerprint_of("embedding", model.weights.embedding, {vocabulary, architecture.embed_dim}));
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    const ConvLayer& layer = architecture.conv_layers[i];
    const ConvWeights& conv = model.weights.conv[i];
    const std::string name = "conv" + std::to_string(i + 1);
    const std::size_t filters = layer.filters;
    print.arrays.push_back(fingerprint_of(name + "_weight", conv.weight,
                                          {filters, architecture.in_channels(i) / layer.groups, layer.kernel_size}));
    print.arrays.push_back(fingerprint_of(name + "_bias", conv.bias, {filters}));
    if (conv.scale.empty()) continue;
    print.arrays.push_back(fingerprint_of(name + "_scale", conv.scale, {filters}));
    print.arrays.push_back(fingerprint_of(name + "_shift", conv.shift, {filters}));
  }
  const std::size_t hidden = model.weights.dense.size();
  for (std::size_t i = 0; i < hidden; ++i) {
    add_dense(print.arrays, hidden == 1 ? "classifier" : "dense" + std::to_string(i + 1), model.weights.dense[i]);
  }
  add_dense(print.arrays, "output", model.weights.output);
  return print;
}

std::vector<std::string> fingerprint_differences(const ModelFingerprint& certified, const ModelFingerprint& found) {
  std::vector<std::string> differences;
  for (const FactDifference& fact : differing_facts(certified.facts, found.facts)) {
    differences.push_back(fact.key + ": " + fact.first + " when it was certified, " + fact.second + " now");
  }
  const auto named = [](const std::vector<ArrayFingerprint>& arrays, const std::string& name) {
    return std::find_if(arrays.begin(), arrays.end(),
                        [&](const ArrayFingerprint& array) { return array.name == name; });
  };
  for (const ArrayFingerprint& array : certified.arrays) {
    const auto other = named(found.arrays, array.name);
    std::string text = other == found.arrays.end() ? array.name + " is gone" : array_difference(array, *other);
    if (!text.empty()) differences.push_back(std::move(text));
  }
  for (const ArrayFingerprint& array : found.arrays) {
    if (named(certified.arrays, array.name) == certified.arrays.end()) {
      differences.push_back(array.name + " was not there when it was certified");
    }
  }
  return differences;
}

}  // namespace bytecnn
