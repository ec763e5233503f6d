#include "certificate/architecture_facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <string_view>

namespace bytecnn {
namespace {

std::string shown(double number) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
}

class Facts {
 public:
  void add(std::string key, std::string value) { facts_.push_back({std::move(key), std::move(value)}); }
  void add(std::string key, std::string_view value) { add(std::move(key), std::string(value)); }
  void add(std::string key, std::unsigned_integral auto value) { add(std::move(key), std::to_string(value)); }
  void add_flag(std::string key, bool value) { add(std::move(key), std::string(value ? "true" : "false")); }
  [[nodiscard]] std::vector<Fact> take() { return std::move(facts_); }

 private:
  std::vector<Fact> facts_;
};

void add_conv(Facts& facts, const std::string& name, const ConvLayer& layer) {
  facts.add(name + " filters", layer.filters);
  facts.add(name + " kernel_size", layer.kernel_size);
  facts.add(name + " stride", layer.stride);
  facts.add(name + " dilation", layer.dilation);
  facts.add(name + " groups", layer.groups);
  facts.add(name + " padding", "[" + std::to_string(layer.pad_left) + ", " + std::to_string(layer.pad_right) + "]");
  facts.add(name + " activation", to_string(layer.activation));
  facts.add_flag(name + " residual", layer.residual);
  const bool after = layer.batch_norm && layer.batch_norm->position == BatchNormSpec::Position::after_activation;
  facts.add_flag(name + " batch norm after the activation", after);
  if (after) facts.add(name + " batch norm eps", shown(layer.batch_norm->eps));
}

}  // namespace

std::vector<Fact> architecture_facts(const Architecture& architecture) {
  Facts facts;
  facts.add("vocab_size", architecture.vocab_size);
  facts.add("embed_dim", architecture.embed_dim);
  facts.add("max_len", architecture.max_len);
  facts.add("pad_token", architecture.pad_token ? std::to_string(*architecture.pad_token) : std::string("none"));
  facts.add("conv layers", architecture.conv_layers.size());
  for (std::size_t i = 0; i < architecture.conv_layers.size(); ++i) {
    add_conv(facts, "conv" + std::to_string(i + 1), architecture.conv_layers[i]);
  }
  facts.add("pooling", to_string(architecture.pooling));
  facts.add("dense layers", architecture.dense_layers.size());
  for (std::size_t i = 0; i < architecture.dense_layers.size(); ++i) {
    const std::string name = "dense layer " + std::to_string(i + 1);
    facts.add(name + " units", architecture.dense_layers[i].units);
    facts.add(name + " activation", to_string(architecture.dense_layers[i].activation));
  }
  facts.add("outputs", architecture.outputs);
  facts.add("output", to_string(architecture.output));
  return facts.take();
}

std::vector<FactDifference> differing_facts(const std::vector<Fact>& first, const std::vector<Fact>& second) {
  std::vector<FactDifference> differences;
  for (const Fact& fact : first) {
    const auto other =
        std::find_if(second.begin(), second.end(), [&](const Fact& candidate) { return candidate.key == fact.key; });
    if (other != second.end() && other->value != fact.value) {
      differences.push_back({fact.key, fact.value, other->value});
    }
  }
  return differences;
}

}  // namespace bytecnn
