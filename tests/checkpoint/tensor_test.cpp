#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bytecnn/error.hpp"

#include "checkpoint/checkpoint.hpp"
#include "pickle_writer.hpp"

namespace bytecnn::exporter::test {
namespace {

using Shape = std::vector<std::int64_t>;
using Values = std::vector<double>;

/// A state dict with one tensor of `spec` beside an ordinary one in storage 1.
std::vector<std::byte> file_with(const TensorSpec& spec, const std::string& storage) {
  PickleWriter pickle;
  pickle.ordered_dict().mark().text("w").tensor(spec).entry("conv1.weight", "1", {3, 2, 1}).set_items();
  return checkpoint_file(pickle.finish(), {storage, floats(6)});
}

Tensor read_one(const TensorSpec& spec, const std::string& storage) {
  return read_checkpoint(file_with(spec, storage)).tensors.at(0).tensor;
}

Error error_with(const TensorSpec& spec, const std::string& storage) {
  return error_of(file_with(spec, storage));
}

TEST(Tensors, OfEveryTypeAreWidenedExactly) {
  struct Case {
    const char* storage_class;
    DType dtype;
    std::string bytes;
    Values values;
  };
  const auto le = [](std::uint64_t v, std::size_t n) { return little_endian(v, n); };
  const std::vector<Case> cases{
      {"FloatStorage", DType::f32, le(std::bit_cast<std::uint32_t>(0.1F), 4) + le(0x80000000, 4), {double{0.1F}, -0.0}},
      {"DoubleStorage",
       DType::f64,
       le(std::bit_cast<std::uint64_t>(0.1), 8) + le(1, 8),
       {0.1, 4.9406564584124654e-324}},
      {"HalfStorage", DType::f16, le(0x3c01, 2) + le(0x8001, 2), {1.0009765625, -std::ldexp(1.0, -24)}},
      {"BFloat16Storage", DType::bf16, le(0x3f80, 2) + le(0xc049, 2), {1.0, -3.140625}},
      {"LongStorage", DType::i64, le(~std::uint64_t{0}, 8) + le(7, 8), {-1, 7}},
      {"IntStorage", DType::i32, le(0xfffffffe, 4) + le(7, 4), {-2, 7}},
      {"ShortStorage", DType::i16, le(0x8000, 2) + le(7, 2), {-32768, 7}},
      {"CharStorage", DType::i8, le(0x80, 1) + le(7, 1), {-128, 7}},
      {"ByteStorage", DType::u8, le(0x80, 1) + le(7, 1), {128, 7}},
      {"BoolStorage", DType::boolean, le(1, 1) + le(0, 1), {1, 0}},
  };
  for (const Case& one : cases) {
    const Tensor tensor =
        read_one({.storage_class = one.storage_class, .elements = 2, .sizes = {2}, .strides = {1}}, one.bytes);
    EXPECT_EQ(tensor.dtype, one.dtype);
    EXPECT_EQ(tensor.elements(), 2U);
    EXPECT_EQ(tensor.to_doubles(), one.values) << one.storage_class;
  }
  const Tensor special = read_one({.storage_class = "HalfStorage", .elements = 2, .sizes = {2}, .strides = {1}},
                                  le(0x7c00, 2) + le(0x7e00, 2));
  EXPECT_TRUE(std::isinf(special.to_doubles()[0]));
  EXPECT_TRUE(std::isnan(special.to_doubles()[1]));
}

TEST(Tensors, MayBeViewsWithAnyOffsetAndStrides) {
  const std::string storage = floats(24);
  EXPECT_EQ(read_one({.elements = 24, .offset = 5, .sizes = {2, 2}, .strides = {2, 1}}, storage).to_doubles(),
            (Values{5, 6, 7, 8}));
  EXPECT_EQ(read_one({.elements = 24, .sizes = {2, 3}, .strides = {1, 2}}, storage).to_doubles(),
            (Values{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(read_one({.elements = 24, .sizes = {2, 2, 2}, .strides = {1, 12, 4}}, storage).to_doubles(),
            (Values{0, 4, 12, 16, 1, 5, 13, 17}));
  EXPECT_EQ(read_one({.elements = 24, .sizes = {3, 2}, .strides = {0, 1}}, storage).to_doubles(),
            (Values{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(read_one({.elements = 24, .sizes = {4}, .strides = {6}}, storage).to_doubles(), (Values{0, 6, 12, 18}));
}

TEST(Tensors, ADimensionOfOneMayHaveAnyStride) {
  const std::int64_t huge = INT64_MAX;
  const Tensor tensor = read_one({.elements = 4, .sizes = {2, 1, 2}, .strides = {2, huge, 1}}, floats(4));
  EXPECT_EQ(tensor.to_doubles(), (Values{0, 1, 2, 3}));
}

TEST(Tensors, ScalarsAndEmptyTensorsHaveTheirShapes) {
  const Tensor scalar = read_one({.elements = 1, .sizes = {}, .strides = {}}, floats(1, 42));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.to_doubles(), (Values{42}));
  const Tensor empty = read_one({.elements = 0, .sizes = {0, 3}, .strides = {3, 1}}, "");
  EXPECT_EQ(empty.shape, (Shape{0, 3}));
  EXPECT_TRUE(empty.to_doubles().empty());
}

TEST(Tensors, DeviceTagsAreIgnored) {
  for (const char* location : {"cuda:0", "mps:0", "xpu:1"}) {
    EXPECT_EQ(read_one({.location = location, .elements = 2, .sizes = {2}, .strides = {1}}, floats(2)).to_doubles(),
              (Values{0, 1}));
  }
}

TEST(Tensors, OfABigEndianMachineAreSwapped) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  std::string swapped;
  for (const float value : {1.5F, -2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F, 8.0F}) {
    const std::string little = little_endian(std::bit_cast<std::uint32_t>(value), 4);
    swapped.append(little.rbegin(), little.rend());
  }
  ArchiveWriter archive;
  archive.add("data.pkl", pickle.finish()).add("byteorder", "big").add("data/0", swapped).add("data/1", floats(6));
  const Checkpoint checkpoint = read_checkpoint(archive.finish());
  EXPECT_EQ(checkpoint.tensors[0].tensor.to_doubles(), (Values{1.5, -2, 3, 4, 5, 6, 7, 8}));
}

TEST(Tensors, AnUnknownByteOrderIsAnError) {
  PickleWriter pickle;
  write_small_state_dict(pickle);
  ArchiveWriter archive;
  archive.add("data.pkl", pickle.finish()).add("byteorder", "middle").add("data/0", floats(8)).add("data/1", floats(6));
  EXPECT_EQ(error_of(archive.finish()).code(), ErrorCode::invalid);
}

TEST(Tensors, MayStateTheirTypeBesideAnUntypedStorage) {
  const auto file = [](const char* dtype, std::int64_t bytes, std::int64_t offset) {
    PickleWriter pickle;
    pickle.ordered_dict().mark().text("w").global("torch._utils", "_rebuild_tensor_v3").mark();
    pickle.mark()
        .text("storage")
        .global("torch.storage", "UntypedStorage")
        .text("0")
        .text("cpu")
        .integer(bytes)
        .tuple();
    pickle.raw("Q").integer(offset).integers({3}).integers({1}).boolean(false).ordered_dict().global("torch", dtype);
    pickle.tuple().reduce().entry("conv1.weight", "1", {3, 2, 1}).set_items();
    return checkpoint_file(pickle.finish(), {floats(4).substr(0, static_cast<std::size_t>(bytes)), floats(6)});
  };
  EXPECT_EQ(read_checkpoint(file("float32", 16, 1)).tensors[0].tensor.to_doubles(), (Values{1, 2, 3}));
  EXPECT_EQ(error_of(file("float32", 16, 2)).code(), ErrorCode::invalid);
  EXPECT_EQ(error_of(file("float64", 16, 0)).code(), ErrorCode::invalid);
  EXPECT_NE(read_checkpoint(file("float8_e4m3fn", 16, 0)).tensors[0].unreadable.find("float8"), std::string::npos);
}

TEST(TensorsThatLie, AreRefusedWithTheirName) {
  const std::int64_t huge = std::int64_t{1} << 62;
  const std::vector<TensorSpec> lies{
      {.elements = 4, .offset = -1, .sizes = {4}, .strides = {1}},
      {.elements = 4, .offset = 1, .sizes = {4}, .strides = {1}},
      {.elements = 4, .offset = INT64_MAX, .sizes = {1}, .strides = {1}},
      {.elements = 4, .sizes = {-4}, .strides = {1}},
      {.elements = 4, .sizes = {4}, .strides = {-1}},
      {.elements = 4, .sizes = {4}, .strides = {2}},
      {.elements = 4, .sizes = {huge, huge}, .strides = {0, 0}},
      {.elements = 4, .sizes = {huge}, .strides = {huge}},
      {.elements = 4, .sizes = {std::int64_t{1} << 40}, .strides = {0}},
      {.elements = std::int64_t{1} << 40, .sizes = {std::int64_t{1} << 40}, .strides = {1}},
      {.elements = 5, .sizes = {4}, .strides = {1}},  // the record has 4
      {.elements = 3, .sizes = {3}, .strides = {1}},
  };
  for (const TensorSpec& spec : lies) {
    const Error error = error_with(spec, floats(4));
    EXPECT_TRUE(error.code() == ErrorCode::invalid || error.code() == ErrorCode::limit) << error.what();
    EXPECT_EQ(error.where(), "tensor 'w'") << error.what();
  }
}

TEST(TensorsThatLie, CannotExpandASmallFileIntoALotOfMemory) {
  const Error error = error_with({.elements = 4, .sizes = {1 << 24}, .strides = {0}}, floats(4));
  EXPECT_EQ(error.code(), ErrorCode::limit);
}

TEST(TensorsThatLie, AboutTheirRankAreRefusedWithTheirPlaceInThePickle) {
  const TensorSpec uneven{.elements = 4, .sizes = {2, 2}, .strides = {1}};
  EXPECT_EQ(error_with(uneven, floats(4)).where().rfind("archive/data.pkl: byte ", 0), 0U);
  const TensorSpec deep{.elements = 1, .sizes = Shape(9, 1), .strides = Shape(9, 1)};
  EXPECT_EQ(error_with(deep, floats(1)).code(), ErrorCode::limit);
  const TensorSpec negative{.elements = -4, .sizes = {2}, .strides = {1}};
  EXPECT_EQ(error_with(negative, floats(4)).code(), ErrorCode::invalid);
}

TEST(TensorsThatLie, AboutTheirStorageAreRefused) {
  for (const char* key : {"../../etc/passwd", "", "a/b", "0\n"}) {
    TensorSpec spec{.elements = 4, .sizes = {4}, .strides = {1}};
    spec.key = key;
    EXPECT_EQ(error_with(spec, floats(4)).code(), ErrorCode::invalid) << key;
  }
  TensorSpec missing{.elements = 4, .sizes = {4}, .strides = {1}};
  missing.key = "77";
  EXPECT_NE(std::string(error_with(missing, floats(4)).what()).find("data/77"), std::string::npos);
}

TEST(TensorsThatLie, AreBoundedByTheLimitsOnElements) {
  CheckpointLimits limits;
  limits.max_elements = 10;
  PickleWriter pickle;
  write_small_state_dict(pickle);
  EXPECT_EQ(error_of(checkpoint_file(pickle.finish(), small_storages()), {}, limits).code(), ErrorCode::limit);
}

}  // namespace
}  // namespace bytecnn::exporter::test
