// Numbers recorded from Python, and a user's corpus, as files hold them.

#include "verify/recorded_reference.hpp"

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

namespace bytecnn::exporter::testing {
namespace {

Error refusal(std::string_view json) {
  try {
    (void)parse_reference(json);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "was accepted: " << json;
  return {ErrorCode::usage, "accepted"};
}

TEST(RecordedReference, ReadsWhatTheRecordingScriptWrites) {
  const auto reference = parse_reference(
      R"({"format": "bytecnn-reference", "dtype": "float64", "torch": "2.6.0",
          "inputs": [{"input_hex": "", "logits": [0.125]}, {"input_hex": "00fFa0", "logits": [-3]}]})");
  ASSERT_EQ(reference.records.size(), 2U);
  EXPECT_TRUE(reference.is_double);
  EXPECT_TRUE(reference.records[0].input.empty());
  EXPECT_EQ(reference.records[1].input, (Bytes{std::byte{0}, std::byte{255}, std::byte{160}}));
  EXPECT_EQ(reference.records[1].logits, std::vector<double>{-3});
}

TEST(RecordedReference, TellsFloat32RecordsByTheirNumbersWhereNoTypeIsStated) {
  EXPECT_FALSE(parse_reference(R"([{"input_hex": "41", "logits": [0.75, -1.5]}])").is_double);
  EXPECT_TRUE(parse_reference(R"([{"input_hex": "41", "logits": [0.1]}])").is_double);
}

TEST(RecordedReference, KnowsHowInputsWerePaddedWhereTheFileSaysSo) {
  const std::string inputs = R"("inputs": [{"input_hex": "41", "logits": [0.1]}]})";
  const auto padded = parse_reference(R"({"max_len": 300, "pad_token": 256, )" + inputs);
  EXPECT_EQ(padded.max_len, 300U);
  ASSERT_TRUE(padded.pad_token);
  EXPECT_EQ(*padded.pad_token, 256U);
  const auto unpadded = parse_reference(R"({"max_len": 300, "pad_token": null, )" + inputs);
  ASSERT_TRUE(unpadded.pad_token);
  EXPECT_FALSE(*unpadded.pad_token);
  const auto silent = parse_reference("{" + inputs);
  EXPECT_FALSE(silent.max_len);
  EXPECT_FALSE(silent.pad_token);
  EXPECT_EQ(refusal(R"({"max_len": 0, )" + inputs).where(), "/max_len");
  EXPECT_EQ(refusal(R"({"max_len": "8", )" + inputs).where(), "/max_len");
  EXPECT_EQ(refusal(R"({"pad_token": -1, )" + inputs).where(), "/pad_token");
}

TEST(RecordedReference, RefusesWhatIsNoRecordAndSaysWhere) {
  EXPECT_EQ(refusal("{").code(), ErrorCode::syntax);
  EXPECT_EQ(refusal("{}").where(), "/inputs");
  EXPECT_EQ(refusal("[]").code(), ErrorCode::invalid);
  EXPECT_EQ(refusal(R"([{"logits": [1]}])").where(), "/0/input_hex");
  EXPECT_EQ(refusal(R"([{"input_hex": "4", "logits": [1]}])").where(), "/0/input_hex");
  EXPECT_EQ(refusal(R"([{"input_hex": "4x", "logits": [1]}])").where(), "/0/input_hex");
  EXPECT_EQ(refusal(R"({"inputs": [{"input_hex": "41", "logits": ["1"]}]})").where(), "/inputs/0/logits");
  EXPECT_EQ(refusal(R"({"dtype": "int8", "inputs": [{"input_hex": "41", "logits": [1]}]})").where(), "/dtype");
}

}  // namespace
}  // namespace bytecnn::exporter::testing
