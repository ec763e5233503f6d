// The names that activations, poolings, outputs and batch-norm positions have in files and on the command line.

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "bytecnn/error.hpp"
#include "bytecnn/model.hpp"

namespace bytecnn {
namespace {

template <class Value>
using Name = std::pair<std::string_view, Value>;

constexpr std::array activation_names = {
    Name<Activation::Kind>{"none", Activation::Kind::none},
    Name<Activation::Kind>{"relu", Activation::Kind::relu},
    Name<Activation::Kind>{"leaky_relu", Activation::Kind::leaky_relu},
    Name<Activation::Kind>{"gelu", Activation::Kind::gelu},
    Name<Activation::Kind>{"silu", Activation::Kind::silu},
    Name<Activation::Kind>{"tanh", Activation::Kind::tanh},
    Name<Activation::Kind>{"sigmoid", Activation::Kind::sigmoid},
};

constexpr std::array pooling_names = {
    Name<Pooling>{"max", Pooling::max},
    Name<Pooling>{"avg", Pooling::avg},
    Name<Pooling>{"avg_max", Pooling::avg_max},
    Name<Pooling>{"concat_avg_max", Pooling::concat_avg_max},
    Name<Pooling>{"concat_avg_max_std", Pooling::concat_avg_max_std},
};

constexpr std::array output_names = {
    Name<Output>{"sigmoid", Output::sigmoid},
    Name<Output>{"softmax", Output::softmax},
    Name<Output>{"none", Output::none},
};

constexpr std::array position_names = {
    Name<BatchNormSpec::Position>{"before_activation", BatchNormSpec::Position::before_activation},
    Name<BatchNormSpec::Position>{"after_activation", BatchNormSpec::Position::after_activation},
};

template <class Names, class Value>
std::string_view name_of(const Names& names, Value value) noexcept {
  for (const auto& [name, known] : names) {
    if (known == value) return name;
  }
  return "?";
}

template <class Names>
auto value_of(const Names& names, std::string_view name, const char* what) {
  std::string known_names;
  for (const auto& [known, value] : names) {
    if (known == name) return value;
    if (!known_names.empty()) known_names += ", ";
    known_names += known;
  }
  throw Error(ErrorCode::invalid, std::string("unknown ") + what, {}, "one of " + known_names,
              "\"" + std::string(name) + "\"");
}

}  // namespace

std::string to_string(const Activation& activation) {
  std::string text(name_of(activation_names, activation.kind));
  if (activation.kind == Activation::Kind::leaky_relu) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), activation.slope).ptr;
    text += "(" + std::string(digits.data(), end) + ")";
  }
  return text;
}

std::string_view to_string(Pooling pooling) noexcept {
  return name_of(pooling_names, pooling);
}
std::string_view to_string(Output output) noexcept {
  return name_of(output_names, output);
}
std::string_view to_string(BatchNormSpec::Position position) noexcept {
  return name_of(position_names, position);
}

Activation parse_activation(std::string_view name) {
  constexpr std::string_view prefix = "leaky_relu(";
  if (name.starts_with(prefix) && name.ends_with(')')) {
    const std::string_view digits = name.substr(prefix.size(), name.size() - prefix.size() - 1);
    Activation activation{Activation::Kind::leaky_relu, 0.0F};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), activation.slope);
    if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(activation.slope)) {
      throw Error(ErrorCode::invalid, "leaky_relu's slope is not a number", {}, "leaky_relu(0.01) or the like",
                  "\"" + std::string(name) + "\"");
    }
    return activation;
  }
  return {value_of(activation_names, name, "activation"), 0.01F};
}

Pooling parse_pooling(std::string_view name) {
  return value_of(pooling_names, name, "pooling");
}
Output parse_output(std::string_view name) {
  return value_of(output_names, name, "output");
}
BatchNormSpec::Position parse_batch_norm_position(std::string_view name) {
  return value_of(position_names, name, "batch-norm position");
}

}  // namespace bytecnn
