/// An explanation on a terminal.

#include <algorithm>
#include <cmath>

#include "explain_report.hpp"
#include "number_text.hpp"
#include "table.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t bytes_a_row = 16;
constexpr std::size_t rows_shown = 6;
constexpr double weakest_shown = 0.1;  // of the strongest; below this nothing is painted

constexpr Rgb weak_for{255, 233, 206};
constexpr Rgb strong_for{247, 129, 30};
constexpr Rgb weak_against{214, 232, 252};
constexpr Rgb strong_against{72, 142, 235};
constexpr int ansi_yellow = 3;
constexpr int ansi_cyan = 6;

std::uint8_t between(std::uint8_t from, std::uint8_t to, double share) {
  return static_cast<std::uint8_t>(std::lround(from + (to - from) * share));
}

/// Paints what has a contribution of `strength`, -1 to 1.
std::string marked(const Painter& painter, double strength, std::string_view text) {
  const double share = std::abs(strength);
  if (share < weakest_shown) return std::string(text);
  const Rgb& weak = strength > 0 ? weak_for : weak_against;
  const Rgb& strong = strength > 0 ? strong_for : strong_against;
  const int nearest = strength > 0 ? ansi_yellow : ansi_cyan;
  // Eight colours have no shades: only what matters is painted.
  if (painter.depth() == ColorDepth::ansi && share < 0.35) return std::string(text);
  return painter.mark({between(weak.red, strong.red, share), between(weak.green, strong.green, share),
                       between(weak.blue, strong.blue, share)},
                      nearest, text);
}

/// The sign that stands under a character where there are no colours.
char sign_of(double strength) {
  if (std::abs(strength) < 0.25) return ' ';
  if (strength > 0) return strength < 0.5 ? '+' : '#';
  return strength > -0.5 ? '-' : '=';
}

/// Lines of characters, and lines of signs under them where there are no colours.
class Lines {
 public:
  Lines(const Painter& painter, std::size_t columns) : painter_(painter), columns_(columns) {}

  void add(const std::string& shown, std::size_t width, double strength) {
    if (used_ + width > columns_) end_line();
    line_ += marked(painter_, strength, shown);
    signs_ += std::string(width, sign_of(strength));
    used_ += width;
  }
  void end_line() {
    text_ += "  " + line_ + "\n";
    const std::size_t last = signs_.find_last_not_of(' ');
    if (painter_.depth() == ColorDepth::none && last != std::string::npos) {
      text_ += "  " + signs_.substr(0, last + 1) + "\n";
    }
    line_.clear();
    signs_.clear();
    used_ = 0;
  }
  std::string finish() {
    if (used_ > 0) end_line();
    return std::move(text_);
  }

 private:
  const Painter& painter_;
  std::size_t columns_;
  std::size_t used_ = 0;
  std::string text_, line_, signs_;
};

std::string characters(std::span<const Glyph> glyphs, const Painter& painter, std::size_t columns) {
  const double largest = largest_contribution(glyphs);
  Lines lines(painter, std::max<std::size_t>(columns, 20) - 4);
  for (const Glyph& glyph : glyphs) {
    lines.add(glyph.shown, glyph.columns, visible_strength(glyph.contribution, largest));
    if (glyph.ends_line) lines.end_line();
  }
  return lines.finish();
}

std::string offset_text(std::size_t offset) {
  const std::string digits =
      hex(std::byte(offset >> 16U & 255U)) + hex(std::byte(offset >> 8U & 255U)) + hex(std::byte(offset & 255U));
  return offset >> 24U == 0 ? digits : hex(std::byte(offset >> 24U & 255U)) + digits;
}

/// "000010  7f 45 4c 46 ...  .ELF": every byte painted twice.
std::string hex_dump(const ExplainedInput& input, const Painter& painter) {
  double largest = 0;
  for (const double contribution : input.why.contributions) largest = std::max(largest, std::abs(contribution));
  if (largest == 0) largest = 1;
  std::string text;
  for (std::size_t row = 0; row < input.bytes.size(); row += bytes_a_row) {
    std::string numbers;
    std::string letters;
    std::string signs;
    const std::size_t end = std::min(row + bytes_a_row, input.bytes.size());
    for (std::size_t i = row; i < end; ++i) {
      const double strength = visible_strength(input.why.contributions[i], largest);
      const auto byte = std::to_integer<unsigned char>(input.bytes[i]);
      const std::string letter = byte >= 0x20 && byte < 0x7F ? std::string(1, static_cast<char>(byte)) : "·";
      numbers += " " + marked(painter, strength, hex(input.bytes[i]));
      letters += marked(painter, strength, letter);
      signs += " " + std::string(2, sign_of(strength));
    }
    numbers += std::string(3 * (bytes_a_row - (end - row)), ' ');
    text += "  " + painter.paint(Style::faint, offset_text(row)) + " " + numbers + "  " + letters + "\n";
    const std::size_t last = signs.find_last_not_of(' ');
    if (painter.depth() == ColorDepth::none && last != std::string::npos) {
      text += std::string(9, ' ') + signs.substr(0, last + 1) + "\n";
    }
  }
  return text;
}

std::string legend(const ExplainedInput& input, const Painter& painter) {
  const std::string subject = "'" + printable(input.label, 32) + "'";
  const std::string other = input.against ? "for '" + printable(*input.against, 32) + "'" : "against it";
  if (painter.depth() == ColorDepth::none) return "  + # for " + subject + "   - = " + other + "\n";
  return "  " + marked(painter, 0.3, " ") + marked(painter, 0.65, " ") + marked(painter, 1, " ") + " for " + subject +
         "   " + marked(painter, -0.3, " ") + marked(painter, -0.65, " ") + marked(painter, -1, " ") + " " + other +
         "\n";
}

/// A bar of at most ten columns.
std::string bar(double contribution, double largest) {
  const auto length = static_cast<std::size_t>(std::lround(10 * std::abs(contribution) / largest));
  std::string text;
  for (std::size_t i = 0; i < length; ++i) text += "━";
  return text;
}

std::string strongest_table(const ExplainedInput& input, std::span<const Glyph> glyphs, bool binary,
                            const Painter& painter) {
  const auto passages = strongest_passages(glyphs, binary, rows_shown);
  if (passages.empty()) return {};
  Table table({{"contribution", Align::right}, {""}, {binary ? "bytes" : "word"}, {"at", Align::right}});
  for (const Passage& passage : passages) {
    const double largest = std::max(std::abs(passages[0].contribution), 1e-30);
    table.add_row({signed_number(passage.contribution),
                   {bar(passage.contribution, largest), passage.contribution > 0 ? Style::warm : Style::cool},
                   quoted(input, passage.begin, passage.end, binary),
                   std::to_string(passage.begin)});
  }
  return "\n" + painter.paint(Style::heading, binary ? "Strongest rows" : "Strongest words") + "\n" +
         table.render(painter);
}

std::string winners_table(const ExplainedInput& input, bool binary, const Painter& painter) {
  Table table({{"contribution", Align::right}, {"saw"}, {"at", Align::right}, {"filter", Align::right}});
  std::size_t rows = 0;
  for (const PoolWinner& winner : input.why.winners) {
    if (rows == rows_shown || winner.contribution == 0) break;
    const bool padding = winner.begin >= winner.end;
    table.add_row(
        {signed_number(winner.contribution),
         padding ? Cell{"padding alone", Style::faint} : Cell{quoted(input, winner.begin, winner.end, binary)},
         padding ? std::string() : std::to_string(winner.begin), std::to_string(winner.channel)});
    ++rows;
  }
  if (rows == 0) return {};
  return "\n" + painter.paint(Style::heading, "Filters whose maximum counted most") + "\n" + table.render(painter);
}

}  // namespace

std::string explain_text(const Classifier& classifier, const ExplainedInput& input, bool binary, const Painter& painter,
                         std::size_t columns) {
  const auto glyphs = glyphs_of(input);
  std::string text = painter.paint(Style::heading, decision_text(classifier, input));
  const std::string others = runners_up(classifier, input, 3);
  if (!others.empty()) text += painter.paint(Style::faint, "   then " + others);
  text += "\n" + painter.paint(Style::faint, sum_text(input)) + "\n\n";
  if (input.bytes.empty()) {
    text += "  " + painter.paint(Style::faint, "the input holds no byte") + "\n";
  } else {
    text += binary ? hex_dump(input, painter) : characters(glyphs, painter, columns);
  }
  if (input.unseen_bytes > 0) {
    text += "  " +
            painter.paint(Style::faint, "… and " + with_separators(input.unseen_bytes) +
                                            " more bytes, which the model does not see") +
            "\n";
  }
  if (!input.bytes.empty()) text += "\n" + legend(input, painter);
  return text + strongest_table(input, glyphs, binary, painter) + winners_table(input, binary, painter);
}

}  // namespace bytecnn::cli
