#include "completions.hpp"

#include <algorithm>
#include <string_view>

namespace bytecnn::cli {
namespace {

/// The last word of "bytecnn classify".
std::string short_name(const CommandDescription& command) {
  return command.name.substr(command.name.rfind(' ') + 1);
}

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

std::string option_names(const CommandDescription& command) {
  std::string names;
  for (const OptionDescription& option : command.options) {
    if (!option.positional) names += (names.empty() ? "" : " ") + joined(option.names, " ");
  }
  return names;
}

std::string command_names(const CommandDescription& program) {
  std::string names;
  for (const CommandDescription& command : program.commands) names += (names.empty() ? "" : " ") + short_name(command);
  return names;
}

/// `text` within single quotes, with what the shell needs in place of a quote.
std::string quoted(std::string_view text, std::string_view quote) {
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'') {
      result += quote;
    } else {
      result += character;
    }
  }
  return result + "'";
}

/// What zsh's _arguments would take for a part of its own notation.
std::string zsh_text(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '[' || character == ']' || character == ':' || character == '\\') escaped += '\\';
    escaped += character;
  }
  return escaped;
}

std::string bash_values(const CommandDescription& command) {
  std::string cases;
  for (const OptionDescription& option : command.options) {
    if (option.positional || option.value.empty()) continue;
    cases += "        " + joined(option.names, "|") + ") ";
    if (!option.choices.empty()) {
      cases += "COMPREPLY=($(compgen -W '" + joined(option.choices, " ") + "' -- \"$current\")); ";
    } else if (option.takes_file()) {
      cases += "_bytecnn_files; ";
    }
    cases += "return ;;\n";
  }
  return cases;
}

std::string zsh_arguments(const CommandDescription& command) {
  std::string text = "      _arguments -s -S";
  for (const OptionDescription& option : command.options) {
    std::string value;
    if (!option.choices.empty()) {
      value = ":value:(" + joined(option.choices, " ") + ")";
    } else if (option.positional) {
      value = (option.repeated ? "*:" : option.required ? ":" : "::") + option.names[0] + ":_files";
    } else if (!option.value.empty()) {
      value = ":" + zsh_text(option.value) + ":" + (option.takes_file() ? "_files" : " ");
    }
    if (option.positional) {
      text += " \\\n        " + quoted(value, "'\\''");
      continue;
    }
    for (const std::string& name : option.names) {
      text += " \\\n        " + quoted(name + "[" + zsh_text(option.text) + "]" + value, "'\\''");
    }
  }
  return text + "\n";
}

}  // namespace

std::string bash_completion(const CommandDescription& program) {
  std::string text = R"(# bash completion of bytecnn; written by the build from the program's own definitions.
_bytecnn_files() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$current"))
}
_bytecnn() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${1##*/}
  COMPREPLY=()
  # --option=value comes as three words.
  if [[ $current == '=' ]]; then current=''; elif [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD-2]}; fi
  if [[ $command == bytecnn ]]; then
    if ((COMP_CWORD == 1)); then
      COMPREPLY=($(compgen -W ')";
  text += command_names(program) + " " + option_names(program) + R"(' -- "$current"))
      return
    fi
    command=${COMP_WORDS[1]}
  else
    command=${command#bytecnn-}
  fi
  local options=''
  case $command in
)";
  for (const CommandDescription& command : program.commands) {
    text += "    " + short_name(command) + ")\n      options='" + option_names(command) + "'\n";
    text += "      case $previous in\n" + bash_values(command) + "      esac ;;\n";
  }
  text += R"(  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    _bytecnn_files
  fi
}
complete -F _bytecnn bytecnn bytecnn-export bytecnn-verify
)";
  return text;
}

std::string zsh_completion(const CommandDescription& program) {
  std::string text =
      "#compdef bytecnn bytecnn-export bytecnn-verify\n"
      "# Written by the build from the program's own definitions.\n"
      "_bytecnn() {\n  local command=${words[1]:t}\n  if [[ $command == bytecnn ]]; then\n"
      "    if ((CURRENT == 2)); then\n      local -a commands=(\n";
  for (const CommandDescription& command : program.commands) {
    text += "        " + quoted(short_name(command) + ":" + command.text, "'\\''") + "\n";
  }
  text += "      )\n      _describe command commands\n      compadd -- " + option_names(program) +
          "\n      return\n    fi\n    shift words\n    ((CURRENT--))\n    command=${words[1]}\n  else\n"
          "    command=${command#bytecnn-}\n  fi\n  case $command in\n";
  for (const CommandDescription& command : program.commands) {
    text += "    " + short_name(command) + ")\n" + zsh_arguments(command) + "      ;;\n";
  }
  text += "    *) _files ;;\n  esac\n}\n_bytecnn \"$@\"\n";
  return text;
}

std::string fish_completion(const CommandDescription& program) {
  std::string text = "# fish completion of bytecnn; written by the build from the program's own definitions.\n";
  for (const CommandDescription& command : program.commands) {
    text += "complete -c bytecnn -n __fish_use_subcommand -f -a " + short_name(command) + " -d " +
            quoted(command.text, "\\'") + "\n";
  }
  for (const CommandDescription& command : program.commands) {
    std::vector<std::string> places{"-c bytecnn -n '__fish_seen_subcommand_from " + short_name(command) + "'"};
    if (short_name(command) == "export" || short_name(command) == "verify") {
      places.push_back("-c bytecnn-" + short_name(command));
    }
    for (const std::string& place : places) {
      for (const OptionDescription& option : command.options) {
        if (option.positional) continue;
        text += "complete " + place;
        for (const std::string& name : option.names) {
          text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        }
        if (!option.choices.empty()) {
          text += " -x -a '" + joined(option.choices, " ") + "'";
        } else if (!option.value.empty()) {
          text += option.takes_file() ? " -r" : " -x";
        }
        text += " -d " + quoted(option.text, "\\'") + "\n";
      }
    }
  }
  return text;
}

}  // namespace bytecnn::cli
