/// An explanation as a page without scripts and without anything from elsewhere.

#include <algorithm>
#include <cmath>

#include "explain_report.hpp"
#include "markup.hpp"
#include "number_text.hpp"

namespace bytecnn::cli {
namespace {

constexpr std::size_t bytes_a_row = 16;
constexpr std::size_t rows_shown = 12;

constexpr const char* style = R"(<style>
:root{--page:#fff;--ink:#1c1c1c;--faint:#6b6b6b;--line:#e3e3e3;--panel:#fafafa;--for:245,124,20;--against:58,130,230}
@media screen and (prefers-color-scheme:dark){:root{--page:#17181a;--ink:#ececec;--faint:#9a9a9a;--line:#34363a;--panel:#1f2124}}
@media print{.hover{display:none}tr{break-inside:avoid}}
/* Else browsers print without the colours, which are what the page is for. */
body{-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1rem;margin:1.75rem 0 .5rem}
.faint{color:var(--faint)}p{margin:.25rem 0}
pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:1rem;margin:1.25rem 0 .75rem;font:15px/1.9 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
pre.hex{white-space:pre;overflow-x:auto}
pre span{border-radius:2px;padding:.15em 0}pre i{color:var(--faint);font-style:normal}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .9rem .25rem 0;border-bottom:1px solid var(--line);font-weight:normal}
th{color:var(--faint)}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums;width:7rem}td.bar{width:11rem}
.bar b{display:block;height:.7rem;border-radius:2px}code{font:14px ui-monospace,monospace}
.key{display:inline-block;width:1.1rem;height:.8rem;border-radius:2px;margin-right:.15rem}
</style>
)";

std::string color(double strength) {
  return std::string("rgba(var(--") + (strength > 0 ? "for" : "against") + ")," +
         fixed(std::min(1.0, 0.9 * std::abs(strength)), 2) + ")";
}

/// `shown` on its colour; hovering tells the bytes and the contribution.
std::string span(const ExplainedInput& input, std::size_t begin, std::size_t end, double contribution, double largest,
                 const std::string& shown) {
  const double strength = visible_strength(contribution, largest);
  std::string title = std::to_string(begin) + ":";
  for (std::size_t i = begin; i < end; ++i) title += " " + hex(input.bytes[i]);
  title += "   " + signed_number(contribution);
  std::string text = "<span title=\"" + title + "\"";
  if (std::abs(strength) >= 0.05) text += " style=\"background:" + color(strength) + "\"";
  return text + ">" + shown + "</span>";
}

std::string characters(const ExplainedInput& input, std::span<const Glyph> glyphs) {
  const double largest = largest_contribution(glyphs);
  std::string text = "<pre>";
  for (const Glyph& glyph : glyphs) {
    const bool stands_in = glyph.ends_line || (glyph.end == glyph.begin + 1 && glyph.shown.size() > 1);
    const std::string shown = markup_text(glyph.shown);
    text +=
        span(input, glyph.begin, glyph.end, glyph.contribution, largest, stands_in ? "<i>" + shown + "</i>" : shown);
    if (glyph.ends_line) text += "\n";
  }
  return text + "</pre>\n";
}

std::string hex_dump(const ExplainedInput& input) {
  double largest = 1e-30;
  for (const double contribution : input.why.contributions) largest = std::max(largest, std::abs(contribution));
  std::string text = "<pre class=\"hex\">";
  for (std::size_t row = 0; row < input.bytes.size(); row += bytes_a_row) {
    const std::size_t end = std::min(row + bytes_a_row, input.bytes.size());
    std::string letters;
    text += "<i>" + pad_left(std::to_string(row), 6) + "</i> ";
    for (std::size_t i = row; i < end; ++i) {
      const auto byte = std::to_integer<unsigned char>(input.bytes[i]);
      const std::string letter = byte >= 0x20 && byte < 0x7F ? std::string(1, static_cast<char>(byte)) : "·";
      const double contribution = input.why.contributions[i];
      text += " " + span(input, i, i + 1, contribution, largest, hex(input.bytes[i]));
      letters += span(input, i, i + 1, contribution, largest, markup_text(letter));
    }
    text += std::string(3 * (bytes_a_row - (end - row)) + 2, ' ') + letters + "\n";
  }
  return text + "</pre>\n";
}

std::string row(double contribution, double largest, const std::string& what, const std::string& place) {
  const double strength = contribution / std::max(largest, 1e-30);
  return "<tr><td class=\"number\">" + signed_number(contribution) +
         "</td><td class=\"bar\"><b style=\"width:" + fixed(100 * std::abs(strength), 1) +
         "%;background:" + color(strength > 0 ? 1 : -1) + "\"></b></td><td><code>" + what +
         "</code></td><td class=\"number\">" + place + "</td></tr>\n";
}

std::string table(const std::string& title, const std::string& what, const std::string& rows) {
  if (rows.empty()) return {};
  return "<h2>" + title + "</h2>\n<table><tr><th class=\"number\">contribution</th><th></th><th>" + what +
         "</th><th class=\"number\">at byte</th></tr>\n" + rows + "</table>\n";
}

std::string tables(const ExplainedInput& input, std::span<const Glyph> glyphs, bool binary) {
  std::string passages;
  const auto strongest = strongest_passages(glyphs, binary, rows_shown);
  for (const Passage& passage : strongest) {
    passages += row(passage.contribution, std::abs(strongest[0].contribution),
                    markup_text(quoted(input, passage.begin, passage.end, binary)), std::to_string(passage.begin));
  }
  std::string winners;
  for (std::size_t i = 0; i < input.why.winners.size() && i < rows_shown; ++i) {
    const PoolWinner& winner = input.why.winners[i];
    if (winner.contribution == 0) break;
    const bool padding = winner.begin >= winner.end;
    winners += row(winner.contribution, std::abs(input.why.winners[0].contribution),
                   padding ? "padding alone" : markup_text(quoted(input, winner.begin, winner.end, binary)),
                   padding ? "" : std::to_string(winner.begin));
  }
  return table(binary ? "Strongest rows" : "Strongest words", binary ? "bytes" : "word", passages) +
         table("Filters whose maximum counted most", "what the filter saw", winners);
}

}  // namespace

std::string explain_html(const Classifier& classifier, const ExplainedInput& input, bool binary) {
  const auto glyphs = glyphs_of(input);
  const std::string& model = classifier.model().info.name;
  const std::string title = decision_text(classifier, input);
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>" +
      markup_text(title) + "</title>\n" + style + "</head><body>\n<h1>" + markup_text(title) + "</h1>\n";
  std::string about = model.empty() ? "" : "model " + model + "; ";
  if (!input.name.empty()) about += "input " + input.name + "; ";
  const std::string others = runners_up(classifier, input, 5);
  if (!others.empty()) page += "<p class=\"faint\">then " + markup_text(others) + "</p>\n";
  page += "<p class=\"faint\">" + markup_text(about + sum_text(input)) + "</p>\n";
  page += binary ? hex_dump(input) : characters(input, glyphs);
  if (input.unseen_bytes > 0) {
    page += "<p class=\"faint\">… and " + with_separators(input.unseen_bytes) +
            " more bytes, which the model does not see</p>\n";
  }
  const auto key = [](double strength) {
    return "<span class=\"key\" style=\"background:" + color(strength) + "\"></span>";
  };
  page += "<p class=\"faint\">" + key(0.3) + key(0.65) + key(1) + " for " + markup_text(input.label) + " &nbsp; " +
          key(-0.3) + key(-0.65) + key(-1) + " " +
          (input.against ? "for " + markup_text(*input.against) : std::string("against it")) +
          "<span class=\"hover\"> &nbsp; hover for bytes and numbers</span></p>\n";
  return page + tables(input, glyphs, binary) + "</body></html>\n";
}

}  // namespace bytecnn::cli
