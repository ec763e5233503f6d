// Errors: the sentence they make, and how they learn their place.

#include "bytecnn/error.hpp"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace bytecnn {
namespace {

TEST(ErrorTest, SaysWhereWhatExpectedAndFound) {
  const Error error(ErrorCode::invalid, "wrong length", "/weights/conv1_bias", "40", "39");
  EXPECT_STREQ(error.what(), "/weights/conv1_bias: wrong length (expected 40, found 39)");
  EXPECT_EQ(error.code(), ErrorCode::invalid);
  EXPECT_EQ(error.message(), "wrong length");
  EXPECT_EQ(error.where(), "/weights/conv1_bias");
  EXPECT_EQ(error.expected(), "40");
  EXPECT_EQ(error.found(), "39");
}

TEST(ErrorTest, LeavesOutWhatIsEmpty) {
  EXPECT_STREQ(Error(ErrorCode::io, "gone").what(), "gone");
  EXPECT_STREQ(Error(ErrorCode::io, "gone", "a.json").what(), "a.json: gone");
  EXPECT_STREQ(Error(ErrorCode::io, "odd", "", "one").what(), "odd (expected one)");
  EXPECT_STREQ(Error(ErrorCode::io, "odd", "", "", "two").what(), "odd (found two)");
}

TEST(ErrorTest, AtPutsAPlaceBeforeThePlaceAndKeepsTheRest) {
  const Error inner(ErrorCode::limit, "too many", "/weights", "1", "2");
  const Error outer = inner.at("model.json");
  EXPECT_EQ(outer.where(), "model.json: /weights");
  EXPECT_EQ(outer.code(), ErrorCode::limit);
  EXPECT_STREQ(outer.what(), "model.json: /weights: too many (expected 1, found 2)");
  EXPECT_EQ(Error(ErrorCode::io, "gone").at("model.json").where(), "model.json");
}

TEST(ErrorTest, IsARuntimeErrorForCallersWhoCatchThose) {
  EXPECT_THROW(throw Error(ErrorCode::usage, "no"), std::runtime_error);
}

TEST(ErrorTest, EveryCodeHasAName) {
  EXPECT_EQ(to_string(ErrorCode::io), "io");
  EXPECT_EQ(to_string(ErrorCode::syntax), "syntax");
  EXPECT_EQ(to_string(ErrorCode::invalid), "invalid");
  EXPECT_EQ(to_string(ErrorCode::ambiguous), "ambiguous");
  EXPECT_EQ(to_string(ErrorCode::unsupported), "unsupported");
  EXPECT_EQ(to_string(ErrorCode::limit), "limit");
  EXPECT_EQ(to_string(ErrorCode::usage), "usage");
}

}  // namespace
}  // namespace bytecnn
