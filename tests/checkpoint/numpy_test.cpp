#include <bit>
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

using Values = std::vector<double>;

struct ArraySpec {
  std::string package = "numpy.core";
  std::vector<std::int64_t> shape{2, 2};
  std::string type = "f4";
  std::string order = "<";
  bool fortran = false;
  std::string data = floats(4);
  bool latin1 = true;  ///< as protocol 2 writes it
};

/// Bytes as UTF-8 of the code points U+0000 to U+00FF.
std::string latin1_text(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | (byte >> 6U));
      text += static_cast<char>(0x80 | (byte & 0x3fU));
    }
  }
  return text;
}

void write_data(PickleWriter& pickle, const std::string& data, bool latin1) {
  if (!latin1) {
    pickle.bytes(data);
    return;
  }
  pickle.global("_codecs", "encode").mark().text(latin1_text(data)).text("latin1").tuple().reduce();
}

void write_dtype(PickleWriter& pickle, const std::string& type, const std::string& order) {
  pickle.global("numpy", "dtype").mark().text(type).boolean(false).boolean(true).tuple().reduce();
  pickle.mark().integer(3).text(order).none().none().none().integer(-1).integer(-1).integer(0).tuple().build();
}

void write_array(PickleWriter& pickle, const ArraySpec& spec) {
  pickle.global(spec.package + ".multiarray", "_reconstruct").mark().global("numpy", "ndarray").integers({0});
  write_data(pickle, "b", true);
  pickle.tuple().reduce().mark().integer(1).integers(spec.shape);
  write_dtype(pickle, spec.type, spec.order);
  pickle.boolean(spec.fortran);
  write_data(pickle, spec.data, spec.latin1);
  pickle.tuple().build();
}

std::vector<std::byte> file_with(const ArraySpec& spec) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("embedding.weight");
  write_array(pickle, spec);
  pickle.text("conv1.weight");
  write_array(pickle, {.shape = {1, 1, 1}, .data = floats(1)});
  return checkpoint_file(pickle.set_items().finish(), {});
}

Tensor read_one(const ArraySpec& spec) {
  return read_checkpoint(file_with(spec)).tensors.at(0).tensor;
}

TEST(Numpy, ArraysAreReadInBothSpellingsAndBothKindsOfBytes) {
  for (const char* package : {"numpy.core", "numpy._core"}) {
    for (const bool latin1 : {true, false}) {
      const Tensor tensor = read_one({.package = package, .latin1 = latin1});
      EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 2}));
      EXPECT_EQ(tensor.dtype, DType::f32);
      EXPECT_EQ(tensor.to_doubles(), (Values{0, 1, 2, 3}));
    }
  }
}

TEST(Numpy, EveryByteSurvivesTheLatin1Detour) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  const Tensor tensor = read_one({.shape = {256}, .type = "u1", .order = "|", .data = bytes});
  for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(tensor.to_doubles()[i], static_cast<double>(i));
}

TEST(Numpy, FortranOrderAndBigEndianAreTurnedRound) {
  EXPECT_EQ(read_one({.shape = {2, 3}, .fortran = true, .data = floats(6)}).to_doubles(), (Values{0, 2, 4, 1, 3, 5}));
  EXPECT_EQ(read_one({.shape = {2, 1, 3}, .fortran = true, .data = floats(6)}).to_doubles(),
            (Values{0, 2, 4, 1, 3, 5}));
  const std::string little = little_endian(std::bit_cast<std::uint64_t>(0.1), 8);
  const std::string big(little.rbegin(), little.rend());
  EXPECT_EQ(read_one({.shape = {1}, .type = "f8", .order = ">", .data = big}).to_doubles(), (Values{0.1}));
}

TEST(Numpy, BuffersOfProtocol5AreRead) {
  PickleWriter pickle(5);
  pickle.empty_dict().mark();
  for (const char* name : {"embedding.weight", "conv1.weight"}) {
    pickle.text(name).stack_global("numpy._core.numeric", "_frombuffer").mark();
    pickle.raw("\x96" + little_endian(16, 8) + floats(4));
    write_dtype(pickle, "f4", "<");
    pickle.integers({2, 2}).text("C").tuple().reduce();
  }
  const Checkpoint checkpoint = read_checkpoint(checkpoint_file(pickle.set_items().finish(), {}));
  EXPECT_EQ(checkpoint.tensors.at(0).tensor.to_doubles(), (Values{0, 1, 2, 3}));
}

TEST(Numpy, ScalarsAreHints) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("state_dict");
  write_small_state_dict(pickle);
  pickle.text("best_f1").global("numpy.core.multiarray", "scalar").mark();
  write_dtype(pickle, "f8", "<");
  write_data(pickle, little_endian(std::bit_cast<std::uint64_t>(0.744), 8), true);
  pickle.tuple().reduce().set_items();
  const Checkpoint checkpoint = read_checkpoint(checkpoint_file(pickle.finish(), small_storages()));
  ASSERT_EQ(checkpoint.hints.size(), 1U);
  EXPECT_EQ(checkpoint.hints[0].second, "0.744");
}

TEST(Numpy, OtherTypesAreNamed) {
  const Checkpoint checkpoint = read_checkpoint(file_with({.shape = {1}, .type = "c8", .data = "12345678"}));
  EXPECT_NE(checkpoint.tensors[0].unreadable.find("c8"), std::string::npos);
}

TEST(Numpy, ArraysThatLieAreRefused) {
  const std::vector<ArraySpec> lies{
      {.shape = {5}},
      {.shape = {3}},
      {.shape = {-4}},
      {.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40}},
      {.shape = {std::int64_t{1} << 40}},
      {.shape = {1, 1, 1, 1, 1, 1, 1, 1, 4}},
      {.shape = {4}, .data = ""},
  };
  for (const ArraySpec& spec : lies) {
    const Error error = error_of(file_with(spec));
    EXPECT_TRUE(error.code() == ErrorCode::invalid || error.code() == ErrorCode::limit) << error.what();
  }
  PickleWriter pickle;
  pickle.empty_dict().mark().text("w");
  pickle.global("numpy.core.multiarray", "_reconstruct").empty_tuple().reduce();
  pickle.mark().integer(1).integers({1});
  write_dtype(pickle, "f4", "<");
  pickle.boolean(false)
      .global("_codecs", "encode")
      .mark()
      .text("\xc4\x80zz")
      .text("latin1")
      .tuple()
      .reduce()
      .tuple()
      .build();
  EXPECT_EQ(error_of(checkpoint_file(pickle.set_items().finish(), {})).code(), ErrorCode::invalid);
}

TEST(Numpy, OneBufferCannotBecomeManyArrays) {
  PickleWriter pickle;
  pickle.empty_dict().mark().text("first");
  pickle.bytes(std::string(1 << 20, 'x')).put(0).raw("0").none();
  for (int i = 0; i < 200; ++i) {
    pickle.text("array" + std::to_string(i)).global("numpy._core.numeric", "_frombuffer").mark().get(0);
    write_dtype(pickle, "u1", "|");
    pickle.integers({1 << 10, 1 << 10}).text("C").tuple().reduce();
  }
  EXPECT_EQ(error_of(checkpoint_file(pickle.set_items().finish(), {})).code(), ErrorCode::limit);
}

}  // namespace
}  // namespace bytecnn::exporter::test
