#pragma once
/// An option that takes one of a few names.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace bytecnn::cli {

template <typename Value>
using Choices = std::vector<std::pair<std::string_view, Value>>;

/// Adds `name` to `command`; parsing sets `target`, which must outlive it. The names stand in the help and in the
/// error.
template <typename Value, typename Target>
CLI::Option* add_choice_option(CLI::App& command, const std::string& name, Target& target, Choices<Value> choices,
                               const std::string& description) {
  std::string names;
  for (const auto& choice : choices) names += (names.empty() ? "" : "|") + std::string(choice.first);
  const auto parse = [name, names, &target, choices = std::move(choices)](const std::string& text) {
    for (const auto& [choice, value] : choices) {
      if (text == choice) {
        target = value;
        return;
      }
    }
    throw CLI::ValidationError(name, "expected " + names + ", found '" + text + "'");
  };
  return command.add_option_function<std::string>(name, parse, description)->type_name(names);
}

}  // namespace bytecnn::cli
