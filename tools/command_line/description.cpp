#include "description.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "nearest_name.hpp"

namespace bytecnn::cli {
namespace {

using Json = nlohmann::ordered_json;

/// "lines|whole" -> {"lines", "whole"}; "N|none" and "FILE" are no lists of words.
std::vector<std::string> choices_in(const std::string& type) {
  std::vector<std::string> choices;
  if (type.find('|') == std::string::npos) return choices;
  for (std::size_t begin = 0; begin <= type.size();) {
    const std::size_t end = std::min(type.find('|', begin), type.size());
    const std::string word = type.substr(begin, end - begin);
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
    if (word.empty() || !std::ranges::all_of(word, fits)) return {};
    choices.push_back(word);
    begin = end + 1;
  }
  return choices;
}

OptionDescription describe_option(const CLI::Option& option) {
  OptionDescription described;
  described.positional = option.get_positional();
  described.required = option.get_required();
  described.text = option.get_description();
  if (described.positional) {
    described.names = {option.get_name(true, false)};
    described.repeated = option.get_items_expected_max() > 1;
    return described;
  }
  for (const std::string& name : option.get_snames()) described.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) described.names.push_back("--" + name);
  const bool is_flag = option.get_items_expected_max() == 0;
  if (!is_flag) described.value = option.get_type_name();
  described.choices = choices_in(described.value);
  return described;
}

void collect_names(const CLI::App& app, std::vector<std::string>& names) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) names.push_back("-" + name);
  }
}

Json as_json(const CommandDescription& command) {
  Json json;
  json["name"] = command.name;
  json["text"] = command.text;
  json["footer"] = command.footer;
  json["options"] = Json::array();
  for (const OptionDescription& option : command.options) {
    json["options"].push_back({{"names", option.names},
                               {"value", option.value},
                               {"choices", option.choices},
                               {"text", option.text},
                               {"positional", option.positional},
                               {"required", option.required},
                               {"repeated", option.repeated}});
  }
  json["commands"] = Json::array();
  for (const CommandDescription& inner : command.commands) json["commands"].push_back(as_json(inner));
  return json;
}

CommandDescription from_json(const Json& json) {
  CommandDescription command;
  command.name = json.at("name");
  command.text = json.at("text");
  command.footer = json.at("footer");
  for (const Json& option : json.at("options")) {
    command.options.push_back({option.at("names"), option.at("value"), option.at("choices"), option.at("text"),
                               option.at("positional"), option.at("required"), option.at("repeated")});
  }
  for (const Json& inner : json.at("commands")) command.commands.push_back(from_json(inner));
  return command;
}

}  // namespace

bool OptionDescription::takes_file() const {
  if (positional) return true;
  return value.find("FILE") != std::string::npos || value.find("DIR") != std::string::npos;
}

CommandDescription describe(const CLI::App& app, const std::string& name) {
  CommandDescription command{name, app.get_description(), app.get_footer(), {}, {}};
  for (const CLI::Option* option : app.get_options()) command.options.push_back(describe_option(*option));
  for (const CLI::App* inner : app.get_subcommands({})) {
    command.commands.push_back(describe(*inner, name + " " + inner->get_name()));
  }
  return command;
}

std::string to_json(const CommandDescription& command) {
  return as_json(command).dump(1) + "\n";
}

CommandDescription command_from_json(std::string_view json) {
  return from_json(Json::parse(json));
}

bool describe_where_asked(const CLI::App& app, int argc, const char* const* argv, std::ostream& output) {
  if (argc != 2 || argv[1] != describe_argument) return false;
  output << to_json(describe(app, app.get_name()));
  return true;
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error, int argc, const char* const* argv) {
  std::string help = app.get_name();
  std::vector<std::string> names;
  collect_names(app, names);
  for (const CLI::App* inner : app.get_subcommands({})) {
    if (argc < 2 || inner->get_name() != argv[1]) continue;
    help += " " + inner->get_name();
    collect_names(*inner, names);
  }
  std::string message = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr ||
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    // What looks like an option and is none was mistyped, and that is why something seems to be too much or missing.
    for (int i = 1; i < argc; ++i) {
      const std::string typed(std::string_view(argv[i]).substr(0, std::string_view(argv[i]).find('=')));
      if (typed == "--") break;
      if (!typed.starts_with("--") || std::ranges::find(names, typed) != names.end()) continue;
      message = "there is no option '" + typed + "'" + suggestion(typed, names);
      break;
    }
  }
  return message + "; see '" + help + " --help'";
}

}  // namespace bytecnn::cli
