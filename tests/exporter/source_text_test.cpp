#include "source_text.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "write_cpp.hpp"

namespace bytecnn::exporter::testing {
namespace {

TEST(Decimal, IsShortAndAlwaysAFloatingPointLiteral) {
  EXPECT_EQ(decimal(1.0F), "1.0");
  EXPECT_EQ(decimal(-0.0F), "-0.0");
  EXPECT_EQ(decimal(0.1F), "0.1");
  EXPECT_EQ(decimal(1e-7F), "1e-07");
  EXPECT_EQ(decimal(1e30F), "1e+30");
}

TEST(Decimal, ReadsBackToTheSameFloat) {
  std::uint32_t bits = 1;
  for (int i = 0; i < 100000; ++i) {
    bits = bits * 1664525U + 1013904223U;
    const float value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(std::strtof(decimal(value).c_str(), nullptr)), bits) << decimal(value);
  }
}

TEST(PythonString, EscapesEverythingThatIsNotPlain) {
  EXPECT_EQ(python_string("plain 'text'"), "\"plain 'text'\"");
  EXPECT_EQ(python_string("a\"b\\c\n"), R"("a\x22b\x5cc\x0a")");
  EXPECT_EQ(python_string("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"), R"("\xe9\u20ac\U0001f600")");
}

TEST(PythonString, RefusesWhatIsNotUtf8) {
  for (const char* bad : {"\xff", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
    EXPECT_THROW(static_cast<void>(python_string(bad)), Error);
  }
}

TEST(CppString, EscapesDoNotRunIntoWhatFollows) {
  EXPECT_EQ(cpp_string(std::string("\0"
                                   "7",
                                   2)),
            R"("\0007")");
  EXPECT_EQ(cpp_string("\x01"
                       "f"),
            R"("\001f")");
  EXPECT_EQ(cpp_string("\"\\\n"), R"("\042\134\012")");
  EXPECT_EQ(cpp_string("?"), R"("\077")") << "no trigraphs";
}

TEST(CppNamespace, IsAnIdentifierOfItsOwn) {
  EXPECT_EQ(cpp_namespace("ref10k"), "ref10k_model");
  EXPECT_EQ(cpp_namespace("10k"), "m10k_model");
  EXPECT_EQ(cpp_namespace("a - b__c."), "a_b_c_model");
  EXPECT_EQ(cpp_namespace("class"), "class_model");
  EXPECT_EQ(cpp_namespace(""), "unnamed_model");
  EXPECT_EQ(cpp_namespace("__"), "unnamed_model");
  EXPECT_EQ(cpp_namespace("\xC3\xA9"), "xc3xa9_model");
  EXPECT_NE(cpp_namespace("\xC3\xA9"), cpp_namespace("\xC3\xA8"));
}

}  // namespace
}  // namespace bytecnn::exporter::testing
