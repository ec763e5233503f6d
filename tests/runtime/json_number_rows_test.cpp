// Rows of numbers are read before the JSON parser sees them: nobody must be able to tell.

#include "json_number_rows.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "error_check.hpp"
#include "json_document.hpp"

namespace bytecnn {
namespace {

using Json = nlohmann::ordered_json;
using testing::error_of;

const std::vector<std::string> documents = {
    "[1]",
    "[0]",
    "[[0], [1], [2, 3]]",
    "[-0, 0, -1, 18446744073709551615, -9223372036854775808]",
    "[18446744073709551616]",
    "[-9223372036854775809, 1]",
    "[-0.0, 0.1, 1e5, 1E+5, 1.5e-5, 7.038531e-26]",
    "[1e-400, 1]",
    "[]",
    "[ ]",
    "[[]]",
    "[1, \"[2]\", [3, 4], null]",
    R"({"a[1": [1, 2], "b\"[1]": "[1, 2]\\", "c": [[1.5]], "d": {"e": [ 1 , 2 ]}})",
    "{\"a\": [\n1,\r\n\t2\n], \"b\": 1}",
    "\"[1, 2]\"",
    "[true, 1]",
    "[[1, 2], {\"a\": [3]}, [[4, 5], [6]]]",
};

TEST(JsonNumberRowsTest, DocumentsAreWhatTheParserAloneMakesOfThem) {
  for (const std::string& text : documents) {
    const Json expected = Json::parse(text);
    const Json read = parse_json_document(text);
    EXPECT_EQ(read, expected) << text;
    EXPECT_EQ(read.dump(), expected.dump()) << text;  // whole numbers stay whole
  }
}

TEST(JsonNumberRowsTest, RowsOfNumbersNeverReachTheParser) {
  EXPECT_EQ(JsonNumberRows(R"({"a": [[1.5, 2], [3, 4]]})").text(), R"({"a": [[0], [1]]})");
  EXPECT_EQ(JsonNumberRows(R"(["[1, 2]"])").text(), R"(["[1, 2]"])");
}

TEST(JsonNumberRowsTest, EverySyntaxErrorIsFoundWhereTheParserAloneFindsIt) {
  const std::vector<std::string> broken = {
      "[01]",
      "[1,]",
      "[1 2]",
      "[1",
      "[-]",
      "[1.]",
      "[.5]",
      "[1e]",
      "[+1]",
      "[1,,2]",
      "[1]]",
      "[[1, 2] 3]",
      "[[1, 2], [3, 4}",
      "{\"a\": [1, 2] \"b\"}",
      "[\"a, [1]",
      "[1, NaN]",
      "[Infinity]",
      "[1;2]",
      "[1, 2], [3]",
      "[[1], [2], [x]]",
      "{\"a\": [1.5, 2.5], b: 1}",
      "[\n[1],\n[2],\n[3 4]]",
      "[0x10]",
      "[\"\\\"[1, 2]",
  };
  for (const std::string& text : broken) {
    std::size_t byte = 0;
    try {
      ADD_FAILURE() << text << " is " << Json::parse(text).dump();
    } catch (const Json::parse_error& error) {
      byte = error.byte == 0 ? 0 : error.byte - 1;
    }
    std::size_t line = 1;
    std::size_t column = 1;
    for (const char c : text.substr(0, byte)) {
      line += c == '\n' ? 1 : 0;
      column = c == '\n' ? 1 : column + 1;
    }
    const Error error = error_of([&] { (void)parse_json_document(text); });
    EXPECT_EQ(error.code(), ErrorCode::syntax) << text;
    EXPECT_EQ(error.message(),
              "not well-formed JSON at line " + std::to_string(line) + ", column " + std::to_string(column))
        << text;
  }
}

TEST(JsonNumberRowsTest, ANumberBeyondDoubleIsLocated) {
  const Error error = error_of([] { (void)parse_json_document(R"({"a": [[1, 2], [3, 1e400]]})"); });
  EXPECT_EQ(error.code(), ErrorCode::syntax);
  EXPECT_EQ(error.where(), "/a/1/1");
}

TEST(JsonNumberRowsTest, NestingCountsRows) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
  EXPECT_NO_THROW((void)parse_json_document(nested(64)));
  EXPECT_EQ(error_of([&] { (void)parse_json_document(nested(65)); }).code(), ErrorCode::limit);
}

TEST(JsonNumberRowsTest, DoubledKeysBehindRowsAreLocated) {
  const Error error = error_of([] { (void)parse_json_document(R"([[1], {"a": [1, 2], "a": [3]}])"); });
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.where(), "/1/a");
}

}  // namespace
}  // namespace bytecnn
