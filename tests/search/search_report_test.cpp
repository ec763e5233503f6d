// What a search says, for people and for programs.

#include "search/search_report.hpp"

#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "bytecnn/architecture_statement.hpp"

#include "random_original.hpp"

namespace bytecnn::exporter::testing {
namespace {

Structure structure(Pooling pooling, double worst) {
  Structure found;
  found.architecture = two_layer_original(1).architecture;
  found.architecture.pooling = pooling;
  found.worst = worst;
  return found;
}

SearchResult result() {
  SearchResult result;
  result.open_keys = {"pooling", "padding"};
  result.tried = 1234;
  result.possible = 5e9;
  result.tolerance = 1e-5;
  result.records = 17;
  return result;
}

TEST(SearchReport, NamesTheOneThatFits) {
  SearchResult one = result();
  one.fits = {{structure(Pooling::max, 3e-15)}};
  one.exhausted = true;
  const std::string text = to_text(one);
  EXPECT_NE(text.find("one structure fits, worst error 3e-15"), std::string::npos) << text;
  EXPECT_NE(text.find("pooling  max"), std::string::npos) << text;
  EXPECT_NE(text.find("1234 structures tried of 5.0e+09 (all of them)"), std::string::npos) << text;
}

TEST(SearchReport, ListsWhereSeveralDifferAndWhatTellsThemApart) {
  SearchResult several = result();
  several.fits = {{structure(Pooling::max, 0)}, {structure(Pooling::avg, 1e-15)}};
  several.telling = {{0, 1, {}, "an empty input", {0.5}, {}}};
  const std::string text = to_text(several);
  EXPECT_NE(text.find("2 structures fit"), std::string::npos) << text;
  EXPECT_NE(text.find("worst error  pooling\n"), std::string::npos) << "only what differs is a column\n" << text;
  EXPECT_NE(text.find("1 and 2 are told apart by an empty input: 0.5 or too short"), std::string::npos) << text;
}

TEST(SearchReport, ListsTheNearestWhereNothingFits) {
  SearchResult none = result();
  none.nearest = {structure(Pooling::max, 0.25), structure(Pooling::avg, std::numeric_limits<double>::infinity())};
  none.timed_out = true;
  const std::string text = to_text(none);
  EXPECT_NE(text.find("no structure fits"), std::string::npos) << text;
  EXPECT_NE(text.find("0.25"), std::string::npos) << text;
  EXPECT_NE(text.find("refused"), std::string::npos) << text;
  EXPECT_NE(text.find("--search-seconds"), std::string::npos) << text;
}

TEST(SearchReport, IsJsonWhoseStructuresAreArchitectureStatements) {
  SearchResult several = result();
  several.fits = {{structure(Pooling::max, 0), structure(Pooling::max, 0)}, {structure(Pooling::avg, 1e-15)}};
  several.telling = {{0, 1, {std::byte{0xAB}}, "an input", {0.5}, {0.25}}};
  several.nearest = {structure(Pooling::max, std::numeric_limits<double>::infinity())};
  const auto json = nlohmann::json::parse(to_json(several));
  EXPECT_EQ(json["verdict"], "several");
  EXPECT_EQ(json["tried"], 1234);
  EXPECT_EQ(json["fits"][0]["same"].size(), 1U);
  EXPECT_EQ(json["fits"][1]["settled"]["pooling"], "avg");
  EXPECT_EQ(json["told_apart_by"][0]["input_hex"], "ab");
  EXPECT_TRUE(json["nearest"][0]["worst_error"].is_null());
  const ArchitectureStatement statement = parse_architecture_statement(json["fits"][1]["architecture"].dump());
  EXPECT_EQ(statement.pooling, Pooling::avg);
  EXPECT_EQ(statement.max_len, 40U);
  ASSERT_TRUE(statement.conv_layers);
  EXPECT_EQ((*statement.conv_layers)[1].padding->right, 2U);
}

}  // namespace
}  // namespace bytecnn::exporter::testing
