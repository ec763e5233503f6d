// The certificate as a page: everything is there, nothing comes from elsewhere, and no name can break out.

#include "verify/certificate_html.hpp"

#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "random_original.hpp"
#include "verify/certificate.hpp"
#include "verify/histogram_svg.hpp"
#include "verify/html_text.hpp"
#include "verify/stage_comparison.hpp"

namespace bytecnn::exporter::testing {
namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

VerifyReport sample(bool passed) {
  VerifyReport report;
  report.passed = passed;
  report.scale = 4;
  report.input_names = {"empty", "<img src=x onerror=alert(1)>"};
  report.input_kinds = {{"edge case", 1}, {"<corpus>", 1}};
  report.torch_version = "libtorch 1.13.1";
  for (const char* name : {"weights", "fold", "engine sse2"}) {
    StageReport stage;
    stage.name = name;
    stage.inputs = 2;
    stage.tolerance = 4e-5;
    stage.worst = passed ? 1e-7 : std::numeric_limits<double>::infinity();
    stage.worst_place = "\"quoted\" & <b>";
    stage.histogram.assign(histogram_bins, 0);
    stage.histogram[9] = 7;
    stage.passed = passed;
    if (!passed) stage.first_difference = "conv1 differs first: </li><script>";
    report.stages.push_back(stage);
  }
  report.cases = {{{"engine sse2: differs by 1e-07"}, 1, Bytes{std::byte{'<'}, std::byte{0}, std::byte{'a'}}, {1.5}}};
  report.causes = {{"fold", "eps", "eps <1e-5>", 0.5, 1e-9, true}};
  return report;
}

std::string page_of(const VerifyReport& report) {
  const Original original = two_layer_original(3);
  Model model = fold(original);
  model.info.name = "</title><script>alert('name')</script>";
  model.info.version = "\"><svg onload=alert(2)>";
  model.info.labels = {"<i>", "\u202E evil"};
  return certificate_html(certificate({"a&b.pth", "12", "state_dict", "<b>.json", "34"}, original, model, report));
}

TEST(CertificatePage, TellsTheVerdictTheStagesAndTheBytes) {
  const std::string page = page_of(sample(true));
  EXPECT_TRUE(contains(page, "PASS: "));
  EXPECT_TRUE(contains(page, "engine sse2"));
  EXPECT_TRUE(contains(page, "<svg class=\"histogram\""));
  EXPECT_TRUE(contains(page, "3c 00 61"));
  EXPECT_TRUE(contains(page, "&lt;\u00B7a"));
  EXPECT_FALSE(contains(page, "What is wrong"));
  const std::string failed = page_of(sample(false));
  EXPECT_TRUE(contains(failed, "FAIL: "));
  EXPECT_TRUE(contains(failed, "What is wrong"));
  EXPECT_TRUE(contains(failed, "eps &lt;1e-5&gt;"));
  EXPECT_TRUE(contains(failed, "infinity"));
}

TEST(CertificatePage, CannotBeBrokenOutOfByNames) {
  for (const bool passed : {true, false}) {
    const std::string page = page_of(sample(passed));
    for (const char* markup : {"<script", "<img", "<svg onload", "<b>.json", "<i>", "<corpus>", "\u202E"}) {
      EXPECT_FALSE(contains(page, markup)) << markup;
    }
    EXPECT_TRUE(contains(page, "&lt;script&gt;alert(&#39;name&#39;)"));
  }
}

TEST(CertificatePage, LoadsNothingAndRunsNothing) {
  const std::string page = page_of(sample(true));
  for (const char* outside : {"http:", "https:", "src=", "href=", "url(", "@import", "<link", "<script"}) {
    // The attack of the sample, escaped, may hold such words; no tag or style may.
    for (std::size_t place = page.find(outside); place != std::string::npos; place = page.find(outside, place + 1)) {
      EXPECT_TRUE(contains(page.substr(place - std::min<std::size_t>(place, 40), 40), "&lt;")) << outside;
    }
  }
}

TEST(CertificatePage, OfSomethingElseIsAnError) {
  EXPECT_THROW(static_cast<void>(certificate_html("{}")), Error);
  EXPECT_THROW(static_cast<void>(certificate_html("no JSON")), Error);
}

TEST(CertificatePage, SaysWhatHoldsForEveryInput) {
  VerifyReport report = sample(true);
  Bound bound;
  bound.fold = {.name = "fold", .logits = {1e-7}, .worst_logit = 1e-7, .score = 2e-8, .probable_logits = {}};
  bound.engines = {{.name = "engine sse2",
                    .logits = {3e-5},
                    .worst_logit = 3e-5,
                    .score = 1e-5,
                    .probable_logits = {2e-6},
                    .probable_logit = 2e-6,
                    .probable_score = 5e-7,
                    .winograd = true}};
  bound.layers = {{"conv1", 8, 1e-7, 1e-6, 3}};
  bound.windows = 16777216;
  report.bound = bound;
  const std::string page = page_of(report);
  EXPECT_TRUE(contains(page, "For no input of any kind"));
  EXPECT_TRUE(contains(page, "16777216"));
  EXPECT_TRUE(contains(page, "3e-05"));
  EXPECT_TRUE(contains(page, "2e-06"));
  EXPECT_TRUE(contains(page, "an estimate, no proof"));
  report.bound->unavailable = "GELU & co";
  EXPECT_TRUE(contains(page_of(report), "GELU &amp; co"));
}

TEST(HistogramSvg, HasABarForEveryDecadeThatOccursAndALineAtTheTolerance) {
  std::vector<std::size_t> counts(histogram_bins, 0);
  counts[6] = 3;
  counts[9] = 12;
  const std::string svg = histogram_svg({{"fold", counts, 1e-6, true}, {"<engine>", counts, 1e-5, false}});
  std::size_t bars = 0;
  for (std::size_t at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) ++bars;
  EXPECT_EQ(bars, 4U);
  EXPECT_TRUE(contains(svg, "bar failed"));
  EXPECT_TRUE(contains(svg, ">12</text>"));
  EXPECT_TRUE(contains(svg, "&lt;engine&gt;"));
  EXPECT_TRUE(contains(svg, "class=\"tolerance\""));
  EXPECT_FALSE(contains(histogram_svg({{"nothing", std::vector<std::size_t>(histogram_bins, 0), 0, true}}), "<rect"));
}

TEST(HtmlText, EscapesWhatWouldBeMarkupAndWhatReordersText) {
  EXPECT_EQ(html_text("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(html_text("x\u202Ey\u2066z\x01"), "x\u00B7y\u00B7z\u00B7");
  EXPECT_EQ(html_text("caf\u00E9 \u4F60"), "caf\u00E9 \u4F60");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
