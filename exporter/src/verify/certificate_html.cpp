#include "verify/certificate_html.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytecnn/error.hpp"

#include "certificate/hexadecimal.hpp"
#include "verify/certificate_style.hpp"
#include "verify/histogram_svg.hpp"
#include "verify/html_text.hpp"

namespace bytecnn::exporter {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) {
  if (json.is_null()) return "none";
  return html_text(json.is_string() ? json.get<std::string>() : json.dump());
}

/// A number, or the word that stands for one that JSON does not have.
std::string number_of(const Json& json, int digits = 2) {
  return json.is_number() ? short_number(json.get<double>(), digits) : text_of(json);
}

std::string mono(const std::string& html) {
  return "<code>" + html + "</code>";
}

std::string verdict_of(bool passed) {
  return passed ? "<span class=\"good\">PASS</span>" : "<span class=\"bad\">FAIL</span>";
}

/// Cells are HTML already.
class HtmlTable {
 public:
  explicit HtmlTable(std::initializer_list<const char*> headings) {
    html_ = "<div class=\"wide\"><table>\n<thead><tr>";
    for (const char* heading : headings) html_ += "<th>" + std::string(heading) + "</th>";
    html_ += "</tr></thead>\n";
  }
  void add(const std::vector<std::string>& cells) {
    html_ += "<tr>";
    // Numbers and words stay whole; a minus sign would be a place to break.
    for (const std::string& cell : cells)
      html_ += (cell.size() <= 9 ? "<td class=\"short\">" : "<td>") + cell + "</td>";
    html_ += "</tr>\n";
  }
  [[nodiscard]] std::string end() const { return html_ + "</table></div>\n"; }

 private:
  std::string html_;
};

std::string fact(const std::string& name, const std::string& value, const std::string& note = {}) {
  return "<div class=\"fact\"><span>" + name + "</span><b>" + value + "</b><small>" + note + "</small></div>\n";
}

std::string section(const std::string& title, const std::string& content) {
  return "<section>\n<h2>" + title + "</h2>\n" + content + "</section>\n";
}

class Page {
 public:
  explicit Page(const Json& json) : json_(json), report_(json.at("report")) {}

  std::string write() {
    const std::string name = text_of(json_.at("model").at("name"));
    std::string html =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        "<title>Certificate of " +
        name + "</title>\n<style>" + std::string(certificate_style) + "</style>\n</head>\n<body>\n<main>\n";
    html += header();
    html += facts();
    if (!json_.at("passed").get<bool>()) html += section("What is wrong", failures());
    html += section("Stages", stages());
    html += section("Differences", histogram());
    html += section("For every input", bound());
    html += section("Inputs that decided", cases());
    html += section("What was assumed of the original", assumptions());
    html += section("What was verified", identity());
    return html + "</main>\n</body>\n</html>\n";
  }

 private:
  [[nodiscard]] std::string header() const {
    const bool passed = json_.at("passed");
    const Json& model = json_.at("model");
    return "<header class=\"" + std::string(passed ? "good" : "bad") +
           "\">\n<p>Certificate of a verification</p>\n<h1>" + std::string(passed ? "PASS" : "FAIL") + ": " +
           text_of(model.at("name")) +
           (passed ? " computes what its original does" : " does not compute what its original does") + "</h1>\n<p>" +
           text_of(model.at("file")) + " against " + text_of(json_.at("checkpoint").at("file")) + ", " +
           text_of(json_.at("verified")) + "</p>\n</header>\n";
  }

  /// The largest of a member of all engine stages.
  template <class Member>
  [[nodiscard]] double worst_engine(Member&& member) const {
    double worst = 0;
    for (const Json& stage : report_.at("stages")) {
      if (!stage.at("name").get_ref<const std::string&>().starts_with("engine ")) continue;
      const Json& value = member(stage);
      worst = std::max(worst, value.is_number() ? value.get<double>() : std::numeric_limits<double>::infinity());
    }
    return worst;
  }

  [[nodiscard]] std::string facts() const {
    const Json& margin = report_.at("smallest_margin");
    std::size_t flips = 0;
    for (const Json& stage : report_.at("stages")) flips += stage.at("label_flips").get<std::size_t>();
    std::string kinds;
    for (const auto& [kind, count] : report_.at("input_kinds").items()) {
      kinds += (kinds.empty() ? "" : ", ") + html_text(kind) + " " + count.dump();
    }
    std::string html = "<div class=\"facts\">\n";
    html += fact(
        "largest difference of a logit",
        short_number(worst_engine([](const Json& stage) -> const Json& { return stage.at("worst").at("difference"); })),
        "S = " + number_of(report_.at("scale"), 5) + " = max(1, largest |logit|)");
    html += fact(
        "largest difference of a score",
        short_number(worst_engine([](const Json& stage) -> const Json& { return stage.at("worst_score_difference"); })),
        "on every instruction set");
    html += fact("label flips", std::to_string(flips), "beyond rounding at the threshold");
    html += fact("smallest margin to another label", number_of(margin.at("value")),
                 margin.contains("input_name") ? text_of(margin.at("input_name")) : "");
    html += fact("inputs", report_.at("inputs").dump(), kinds + "; seed " + report_.at("seed").dump());
    html += fact("PyTorch's own float32", number_of(report_.at("original_float32_error").at("value")),
                 "off from its double run");
    const Json& conditioning = report_.at("conditioning");
    if (conditioning.is_object() && conditioning.contains("ill_conditioned")) {
      html += fact("condition number", number_of(conditioning.at("exported").at("value")),
                   conditioning.at("ill_conditioned").get<bool>() ? "ill-conditioned" : "well conditioned");
    }
    const Json& bound = report_.at("bound");
    if (bound.is_object() && bound.contains("engines") && !bound.at("engines").empty()) {
      const Json* worst = &bound.at("engines").front();
      for (const Json& side : bound.at("engines")) {
        const Json& logit = side.at("logit");
        if (logit.is_number() && worst->at("logit").is_number() && logit > worst->at("logit")) worst = &side;
      }
      html += fact("bound for every input", number_of(worst->at("logit")),
                   worst->contains("probable") ? "on a logit; probably " + number_of(worst->at("probable").at("logit"))
                                               : "on a logit");
    }
    return html + "</div>\n" +
           (report_.at("structure_checked").get<bool>()
                ? ""
                : "<p class=\"note\">Folding and arithmetic were checked, not the assumed structure (pooling, order, "
                  "eps, "
                  "padding): for that, verify with a TorchScript file or with numbers recorded from Python.</p>\n");
  }

  [[nodiscard]] std::string failures() const {
    std::string html = "<ul>\n";
    for (const Json& stage : report_.at("stages")) {
      if (stage.at("passed").get<bool>()) continue;
      html += "<li><b>" + text_of(stage.at("name")) + "</b>: " +
              (stage.contains("first_difference") ? text_of(stage.at("first_difference")) : "does not hold") +
              "</li>\n";
    }
    for (const Json& difference : report_.at("differences")) html += "<li>" + text_of(difference) + "</li>\n";
    const Json& conditioning = report_.at("conditioning");
    if (conditioning.is_object() && conditioning.contains("text")) {
      html += "<li>" + text_of(conditioning.at("text")) + "</li>\n";
    }
    html += "</ul>\n";
    if (report_.at("causes").empty()) return html;
    HtmlTable table({"likeliest cause", "explains", "difference before", "and with it"});
    for (const Json& cause : report_.at("causes")) {
      table.add({text_of(cause.at("text")), cause.at("explains").get<bool>() ? "all" : "most",
                 number_of(cause.at("before")), number_of(cause.at("after"))});
    }
    return html + table.end();
  }

  [[nodiscard]] std::string stages() const {
    HtmlTable table({"stage", "", "worst", "allowed", "mean", "worst score", "flips", "worst at"});
    for (const Json& stage : report_.at("stages")) {
      table.add({text_of(stage.at("name")), verdict_of(stage.at("passed")),
                 number_of(stage.at("worst").at("difference")), number_of(stage.at("tolerance")),
                 number_of(stage.at("mean")),
                 stage.at("name") == "weights" ? "" : number_of(stage.at("worst_score_difference")),
                 stage.at("label_flips").dump(), text_of(stage.at("worst").at("place"))});
    }
    return table.end() +
           "<p class=\"note\"><b>weights</b>: every number of the export against the original's, folded anew. "
           "<b>fold</b>: the "
           "exported weights run in double. <b>engine</b>: the runtime on each instruction set. Both against the "
           "unfolded "
           "original in double. <b>reference</b>: recorded numbers against the original as it was understood.</p>\n";
  }

  [[nodiscard]] std::string histogram() const {
    const double scale = report_.at("scale");
    std::vector<HistogramRow> rows;
    for (const Json& stage : report_.at("stages")) {
      const std::string name = stage.at("name");
      const double unit = name == "weights" ? 1 : scale;  // its differences are relative already
      const Json& tolerance = stage.at("tolerance");
      rows.push_back({name, stage.at("histogram").get<std::vector<std::size_t>>(),
                      tolerance.is_number() ? tolerance.get<double>() / unit : 0, stage.at("passed")});
    }
    return histogram_svg(rows) +
           "<p class=\"note\">Counted are logits (weights: numbers). The dashed line is what is allowed.</p>\n";
  }

  [[nodiscard]] std::string bound() const {
    const Json& bound = report_.at("bound");
    std::string html;
    if (bound.is_null()) return "<p>No bound over all inputs was computed.</p>\n";
    if (bound.contains("unavailable"))
      return "<p>There is no bound over all inputs: " + text_of(bound.at("unavailable")) + "</p>\n";
    HtmlTable table({"computed by", "no logit differs by more than", "no score by more than", "probably no logit by"});
    std::string assumption;
    const auto add = [&](const Json& side) {
      const bool probable = side.contains("probable");
      table.add({text_of(side.at("name")), number_of(side.at("logit")), number_of(side.at("score")),
                 probable ? number_of(side.at("probable").at("logit")) : ""});
      if (probable) {
        assumption = "<p class=\"note\">Probably: but for a chance of " + number_of(side.at("probable").at("chance")) +
                     " " + text_of(side.at("probable").at("assumption")) + ".</p>\n";
      }
    };
    add(bound.at("fold"));
    for (const Json& side : bound.at("engines")) add(side);
    html += "<p>For no input of any kind can the export differ from its original by more than this" +
            std::string(bound.at("windows").get<std::uint64_t>() == 0
                            ? " (interval and running-error analysis)"
                            : " (all " + bound.at("windows").dump() + " windows of the first layer were run)") +
            ":</p>\n" + table.end() + assumption;
    HtmlTable layers({"layer", "largest value", "error in double", "error of the engine"});
    for (const Json& layer : bound.at("layers")) {
      layers.add({text_of(layer.at("name")), number_of(layer.at("largest_value")), number_of(layer.at("fold_error")),
                  number_of(layer.at("engine_error"))});
    }
    html += layers.end();
    if (bound.contains("windows_not_run")) {
      html += "<p class=\"note\"><code>--exhaustive</code> ran no windows: " + text_of(bound.at("windows_not_run")) +
              ".</p>\n";
    }
    return html;
  }

  [[nodiscard]] std::string cases() const {
    HtmlTable table({"input", "why it is here", "bytes", "logits of the original"});
    for (const Json& recorded : json_.at("cases")) {
      std::string reasons;
      for (const Json& reason : recorded.at("reasons")) reasons += (reasons.empty() ? "" : "<br>") + text_of(reason);
      std::string logits;
      std::size_t shown = 0;
      for (const Json& logit : recorded.at("logits")) {
        if (shown++ == 4) {
          logits += " \u2026";
          break;
        }
        logits += (logits.empty() ? "" : " ") + number_of(logit, 6);
      }
      table.add({text_of(recorded.at("name")), reasons, bytes(recorded.at("input_hex")),
                 logits.empty() ? "refused as too short" : mono(logits)});
    }
    return table.end();
  }

  /// Hexadecimal, and the same bytes as text below; the beginning of what is long.
  [[nodiscard]] static std::string bytes(const std::string& digits) {
    constexpr std::size_t most = 32;
    const std::vector<std::byte> all = from_hexadecimal(digits).value_or(std::vector<std::byte>{});
    if (all.empty()) return "no bytes";
    std::string hex, text;
    for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
      hex += (i == 0 ? "" : " ") + digits.substr(2 * i, 2);
      const auto byte = std::to_integer<unsigned char>(all[i]);
      text += byte >= 0x20 && byte < 0x7F ? html_text(std::string(1, static_cast<char>(byte))) : "\u00B7";
    }
    const std::string more = all.size() > most ? " \u2026" : "";
    return mono(hex + more) + "<br>" + mono(text + more) + "<br><small>" + std::to_string(all.size()) +
           (all.size() == 1 ? " byte" : " bytes") + "</small>";
  }

  [[nodiscard]] std::string assumptions() const {
    HtmlTable table({"property", "value", "known from"});
    for (const Json& row : json_.at("assumptions")) {
      table.add({text_of(row.at("key")), text_of(row.at("value")), text_of(row.at("source"))});
    }
    return table.end();
  }

  [[nodiscard]] std::string identity() const {
    const Json& software = json_.at("software");
    const Json& checkpoint = json_.at("checkpoint");
    const Json& model = json_.at("model");
    std::string sets;
    for (const Json& set : json_.at("instruction_sets")) sets += (sets.empty() ? "" : ", ") + text_of(set);
    HtmlTable table({"", ""});
    table.add({"checkpoint", text_of(checkpoint.at("file")) + " (" + text_of(checkpoint.at("form")) + ")<br>" +
                                 mono(text_of(checkpoint.at("sha256")))});
    table.add({"model", text_of(model.at("file")) + ", version " + text_of(model.at("version")) + ", " +
                            text_of(model.at("parameters")) + " parameters<br>" + mono(text_of(model.at("sha256")))});
    std::string labels;
    for (const Json& label : model.at("labels")) labels += (labels.empty() ? "" : ", ") + text_of(label);
    table.add({"labels", labels + "; threshold " + text_of(model.at("threshold"))});
    table.add({"instruction sets", sets});
    table.add({"bytecnn", text_of(software.at("bytecnn")) + ", built by " + text_of(software.at("compiler"))});
    table.add({"original run by", text_of(software.at("original_run_by"))});
    table.add({"machine", text_of(software.at("processor")) + ", " + text_of(software.at("system"))});
    table.add({"seal of the JSON certificate", mono(text_of(json_.at("seal")))});
    return table.end() +
           "<p class=\"note\">Hold a model and a machine against the JSON certificate with <code>bytecnn check MODEL "
           "--certificate FILE</code>.</p>\n";
  }

  const Json& json_;
  const Json& report_;
};

}  // namespace

std::string certificate_html(std::string_view certificate) {
  try {
    const Json json = Json::parse(certificate);
    return Page(json).write();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::invalid, std::string("not a certificate: ") + error.what());
  }
}

}  // namespace bytecnn::exporter
