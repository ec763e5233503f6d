// Arrays of numbers are read before the JSON parser sees them: nobody must be able to tell.

#include "json_number_arrays.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
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

TEST(JsonNumberArraysTest, DocumentsAreWhatTheParserAloneMakesOfThem) {
  for (const std::string& text : documents) {
    const Json expected = Json::parse(text);
    const Json read = parse_json_document(text);
    EXPECT_EQ(read, expected) << text;
    EXPECT_EQ(read.dump(), expected.dump()) << text;  // whole numbers stay whole
  }
}

TEST(JsonNumberArraysTest, ArraysOfNumbersNeverReachTheParser) {
  const auto left = [](std::string_view text) { return JsonNumberArrays(text).text(); };
  EXPECT_EQ(left(R"({"a": [[1.5, 2], [3, 4]], "b": [5]})"), R"({"a": [0], "b": [1]})");
  EXPECT_EQ(left("[ [ [1, 2] , [3, 4] ] ]"), "[0]");
  EXPECT_EQ(left("[[[[1, 2], [3, 4]]]]"), "[[0]]");  // four levels
  EXPECT_EQ(left("[[1, 2], [3]]"), "[[0], [1]]");    // ragged
  EXPECT_EQ(left("[[[1], [2]], [[3]]]"), "[[0], [1]]");
  EXPECT_EQ(left("[[1, 2], 3]"), "[[0], 3]");
  EXPECT_EQ(left("[1, [2, 3]]"), "[1, [0]]");
  EXPECT_EQ(left("[[1, 2], [3, 1e39]]"), "[[0], [3, 1e39]]");  // no float
  EXPECT_EQ(left("[[], [1]]"), "[[], [0]]");
  EXPECT_EQ(left(R"(["[1, 2]"])"), R"(["[1, 2]"])");
}

TEST(JsonNumberArraysTest, ShapesAndValuesAreThoseOfTheText) {
  JsonNumberArrays arrays("{\"a\": [[[1, 2, 3], [4, 5, 6]]], \"b\": [-0, -0.0]}");
  const NumberArray first = arrays.take(0);
  EXPECT_EQ(first.shape, (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(first.values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(first.text, "[[[1, 2, 3], [4, 5, 6]]]");
  const NumberArray second = arrays.take(1);
  EXPECT_EQ(second.shape, (std::vector<std::size_t>{2}));
  EXPECT_FALSE(std::signbit(second.values[0]));  // a whole number
  EXPECT_TRUE(std::signbit(second.values[1]));
}

/// The nearest double, and of that the nearest float.
TEST(JsonNumberArraysTest, EveryNumberIsRoundedAsTheStandardLibraryRoundsIt) {
  std::vector<std::string> numbers = {
      "0",
      "0.1",
      "9007199254740992",
      "9007199254740993",
      "9007199254740993.0",
      "18446744073709551616",
      "123456789012345678901234567890",
      "1e22",
      "1e23",
      "8.5e-23",
      "0.00000000000000000000000000000000000011754943508",
      "1e-45",
      "7.006492321624085e-46",
      "7.038531e-26",
      "3.4028235677973366e38",
      "3.4028234663852886e38",
      "1e0000000000000000000000000001",
      "1e-0000000000000000000000000001",
      "0.000000000000000000000000000000e99999",
      "16777217",
      "16777216.999999999999999999999999999999999999999999999999999999999999999999",
      "16777217.000000000000000000000000000000000000000000000000000000000000000001",
  };
  std::mt19937_64 engine(1);
  for (int i = 0; i < 200'000; ++i) {
    std::array<char, 64> text{};
    const auto bits = static_cast<std::uint32_t>(engine());
    const auto number = std::bit_cast<float>(bits);
    if (!std::isfinite(number)) continue;
    if (i % 3 == 0) {
      std::to_chars(text.data(), text.data() + text.size(), number);
    } else if (i % 3 == 1) {
      std::snprintf(text.data(), text.size(), "%.*g", static_cast<int>(engine() % 25 + 1), static_cast<double>(number));
    } else {
      std::snprintf(text.data(), text.size(), "%lld.%0*lluE%+d", static_cast<long long>(engine() % 2000) - 1000,
                    static_cast<int>(engine() % 20 + 1), static_cast<unsigned long long>(engine() % 100'000),
                    static_cast<int>(engine() % 60) - 30);
    }
    numbers.emplace_back(text.data());
  }
  for (const std::string& number : numbers) {
    const auto expected = static_cast<float>(std::strtod(number.c_str(), nullptr));
    if (!std::isfinite(expected)) continue;
    const std::string text = "[" + number + "]";
    JsonNumberArrays arrays(text);
    ASSERT_EQ(arrays.text(), "[0]") << number;
    EXPECT_EQ(arrays.take(0).values.at(0), expected) << number;
  }
}

TEST(JsonNumberArraysTest, EverySyntaxErrorIsFoundWhereTheParserAloneFindsIt) {
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

TEST(JsonNumberArraysTest, ANumberBeyondDoubleIsLocated) {
  const Error error = error_of([] { (void)parse_json_document(R"({"a": [[1, 2], [3, 1e400]]})"); });
  EXPECT_EQ(error.code(), ErrorCode::syntax);
  EXPECT_EQ(error.where(), "/a/1/1");
}

TEST(JsonNumberArraysTest, NestingCountsTheLevelsOfArrays) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
  EXPECT_NO_THROW((void)parse_json_document(nested(64)));
  EXPECT_EQ(error_of([&] { (void)parse_json_document(nested(65)); }).code(), ErrorCode::limit);
}

TEST(JsonNumberArraysTest, DoubledKeysBehindArraysAreLocated) {
  const Error error = error_of([] { (void)parse_json_document(R"([[1], {"a": [1, 2], "a": [3]}])"); });
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.where(), "/1/a");
}

}  // namespace
}  // namespace bytecnn
