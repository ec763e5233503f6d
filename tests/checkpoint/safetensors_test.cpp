#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

std::vector<std::byte> file(const std::string& header, const std::string& data) {
  return to_bytes(little_endian(header.size(), 8) + header + data);
}

const std::string two_tensors = R"({"conv1.weight":{"dtype":"F32","shape":[1,2,1],"data_offsets":[16,24]},)"
                                R"("__metadata__":{"format":"pt","max_len":"512"},)"
                                R"("embedding.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";

TEST(Safetensors, TensorsAreReadInTheOrderOfTheFile) {
  const Checkpoint checkpoint = read_checkpoint(file(two_tensors, floats(6)));
  EXPECT_EQ(checkpoint.container, "safetensors");
  ASSERT_EQ(names_of(checkpoint), (std::vector<std::string>{"embedding.weight", "conv1.weight"}));
  EXPECT_EQ(checkpoint.tensors[0].tensor.shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles(), (std::vector<double>{4, 5}));
  const std::pair<std::string, std::string> hint{"max_len", "512"};
  EXPECT_NE(std::find(checkpoint.hints.begin(), checkpoint.hints.end(), hint), checkpoint.hints.end());
}

TEST(Safetensors, HalvesAndBfloatsAreRead) {
  const std::string header = R"({"a.w":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},)"
                             R"("b.w":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})";
  const Checkpoint checkpoint = read_checkpoint(file(header, little_endian(0x3c00, 2) + little_endian(0x4000, 2)));
  EXPECT_EQ(checkpoint.tensors[0].tensor.to_doubles()[0], 1);
  EXPECT_EQ(checkpoint.tensors[1].tensor.to_doubles()[0], 2);
}

TEST(Safetensors, APrefixIsTakenOffAndAKeyChoosesAmongModels) {
  const std::string header = R"({"ema.emb.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                             R"("ema.b.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},)"
                             R"("net.emb.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[8,12]},)"
                             R"("net.b.weight":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})";
  EXPECT_EQ(error_of(file(header, floats(4))).code(), ErrorCode::ambiguous);
  const Checkpoint net = read_checkpoint(file(header, floats(4)), "net");
  EXPECT_EQ(net.prefix, "net.");
  EXPECT_EQ(names_of(net), (std::vector<std::string>{"emb.weight", "b.weight"}));
  EXPECT_EQ(net.ignored.size(), 2U);
  EXPECT_EQ(error_of(file(header, floats(4)), "best").code(), ErrorCode::invalid);
}

TEST(Safetensors, TypesOfOtherKindsAreNamed) {
  const std::string header = R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})";
  EXPECT_NE(read_checkpoint(file(header, "abcd")).tensors[0].unreadable.find("F8_E4M3"), std::string::npos);
}

TEST(Safetensors, BrokenHeadersAreRefused) {
  const std::vector<std::string> broken{
      R"({"a":[[[)",
      R"({"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,12]}})",
      R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}})",
      R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,32]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}})",
      R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4]}})",
      R"({"a":{"dtype":"F32","data_offsets":[0,16]}})",
      R"({"a":{"shape":[4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16],"x":1}})",
      R"({"a":{"dtype":"F32","dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"shape":[4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
      R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
      R"({"a":{"dtype":{"x":{}},"shape":[4],"data_offsets":[0,16]}})",
      R"({"a":7})",
      R"({"a":null})",
      R"({"__metadata__":{"a":"b"}})",
      R"({"a\nb":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})",
      R"({})",
      "{",
  };
  for (const std::string& header : broken) {
    const Error error = error_of(file(header, floats(4)));
    EXPECT_TRUE(error.code() == ErrorCode::syntax || error.code() == ErrorCode::invalid ||
                error.code() == ErrorCode::limit)
        << header << ": " << error.what();
  }
}

TEST(Safetensors, DeepNestingIsRefused) {
  std::string header = "{\"a\":";
  header += std::string(200'000, '[');
  EXPECT_EQ(error_of(file(header, "")).code(), ErrorCode::syntax);
}

TEST(Safetensors, AHeaderLongerThanTheFileIsRefused) {
  EXPECT_EQ(error_of(to_bytes(little_endian(std::uint64_t{1} << 62, 8) + two_tensors)).code(), ErrorCode::syntax);
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const std::vector<std::byte> whole = file(two_tensors, floats(6));
  for (std::size_t size = 0; size < whole.size(); ++size) (void)error_of(std::span(whole).first(size));
}

}  // namespace
}  // namespace bytecnn::exporter::test
