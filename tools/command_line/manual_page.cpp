#include "manual_page.hpp"

#include <algorithm>
#include <sstream>

namespace bytecnn::cli {
namespace {

/// Text as roff reads it: backslashes, hyphens that a reader may copy, and characters beyond ASCII.
std::string roff(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\\') {
      escaped += "\\e";
    } else if (byte == '-') {
      escaped += "\\-";
    } else if (byte == '\'') {
      escaped += "\\(aq";
    } else if (byte == '^') {
      escaped += "\\(ha";
    } else if (byte == '~') {
      escaped += "\\(ti";
    } else if (byte == '`') {
      escaped += "\\(ga";
    } else if (byte >= 0x80) {
      const int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
      unsigned code = byte & (0x3FU >> static_cast<unsigned>(more));
      for (int k = 0; k < more; ++k) code = code << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU);
      std::string number;
      for (int shift = code > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4) number += digits[code >> shift & 15U];
      escaped += "\\[u" + number + "]";
    } else {
      escaped += static_cast<char>(byte);
    }
  }
  // A line that begins with these would be a request.
  if (escaped.starts_with('.')) escaped.insert(0, "\\&");
  return escaped;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string option_heading(const OptionDescription& option) {
  std::string heading;
  for (const std::string& name : option.names)
    heading += (heading.empty() ? "" : ", ") + ("\\fB" + roff(name) + "\\fR");
  if (!option.value.empty()) heading += " \\fI" + roff(option.value) + "\\fR";
  return heading;
}

std::string synopsis(const CommandDescription& command) {
  std::string text = ".B " + roff(command.name) + "\n";
  if (!command.commands.empty()) return text + ".I COMMAND\n.RI [ ARGUMENT ...]\n";
  text += ".RI [ OPTION ...]\n";
  for (const OptionDescription& option : command.options) {
    if (!option.positional) continue;
    const std::string name = roff(option.names[0]) + (option.repeated ? " ..." : "");
    text += option.required ? ".I " + roff(option.names[0]) + "\n" : ".RI [ \"" + name + "\" ]\n";
  }
  return text;
}

/// The help's closing text, sorted into what examples show and what paragraphs say.
struct Footer {
  std::string examples;
  std::string notes;
};

Footer sort_footer(const std::string& text) {
  Footer footer;
  std::string* section = &footer.notes;
  bool preformatted = false;
  const auto end_block = [&] {
    if (preformatted) *section += ".EE\n";
    preformatted = false;
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      end_block();
    } else if (line == "Examples:") {
      end_block();
      section = &footer.examples;
    } else if (line.starts_with("  ")) {
      if (!preformatted) *section += section->empty() ? ".EX\n" : ".PP\n.EX\n";
      preformatted = true;
      *section += roff(line) + "\n";
    } else {
      const bool goes_on = section == &footer.notes && !preformatted && !footer.notes.empty() &&
                           !footer.notes.ends_with(".EE\n") && !footer.notes.ends_with("\n\n");
      end_block();
      section = &footer.notes;
      if (!goes_on && !footer.notes.empty()) footer.notes += ".PP\n";
      footer.notes += roff(line) + "\n";
    }
  }
  end_block();
  return footer;
}

std::string options_section(const CommandDescription& command) {
  std::string text;
  std::vector<OptionDescription> options = command.options;
  std::ranges::stable_partition(options, [](const OptionDescription& option) { return option.positional; });
  for (const OptionDescription& option : options) {
    text += ".TP\n" + option_heading(option) + "\n" + roff(option.text) + "\n";
  }
  return text;
}

std::string commands_section(const CommandDescription& command) {
  std::string text;
  for (const CommandDescription& inner : command.commands) {
    text += ".TP\n\\fB" + roff(page_name(inner)) + "\\fR(1)\n" + roff(inner.text) + "\n";
  }
  return text;
}

constexpr const char* statuses = R"(.TP
0
done
.TP
1
finished, but something failed: an input, a check, a comparison
.TP
2
a wrong command line or environment variable
.TP
3
an unreadable or invalid model or checkpoint
.TP
4
understood, but unsupported
)";

constexpr const char* environment = R"(.TP
.B NO_COLOR
Where it is set and not empty there are no colours, unless \fB\-\-color always\fR asks for them.
.TP
.B BYTECNN_FORCE_ISA
One of sse2, avx2, avx512, neon64 and reference: the instruction set to run on, instead of the best that this machine
has.
)";

}  // namespace

std::string page_name(const CommandDescription& command) {
  std::string name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string manual_page(const CommandDescription& command, const ManualContext& context) {
  const Footer footer = sort_footer(command.footer);
  std::string page =
      ".TH " + upper(page_name(command)) + " 1 " + context.date + " \"bytecnn " + context.version + "\" \"ByteCNN\"\n";
  page += ".SH NAME\n" + roff(page_name(command)) + " \\- " + roff(command.text) + "\n";
  page += ".SH SYNOPSIS\n" + synopsis(command);
  if (!footer.notes.empty()) page += ".SH DESCRIPTION\n" + footer.notes;
  if (!command.commands.empty()) page += ".SH COMMANDS\n" + commands_section(command);
  page += ".SH OPTIONS\n" + options_section(command);
  if (!footer.examples.empty()) page += ".SH EXAMPLES\n" + footer.examples;
  page += std::string(".SH EXIT STATUS\n") + statuses + ".SH ENVIRONMENT\n" + environment;
  if (!context.see_also.empty()) {
    page += ".SH SEE ALSO\n";
    for (std::size_t i = 0; i < context.see_also.size(); ++i) {
      page += ".BR " + roff(context.see_also[i]) + " (1)" + (i + 1 < context.see_also.size() ? "," : "") + "\n";
    }
  }
  return page;
}

}  // namespace bytecnn::cli
